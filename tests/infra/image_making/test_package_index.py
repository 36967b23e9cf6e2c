"""What of this machine's pip a build is told."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

from infra.image_making.package_index import index_secrets, pip_conf, read_settings

LISTED = """\
global.index-url='https://user:p%40ss@packages.example.org/simple'
global.timeout='15'
user.timeout='20'
:env:.default-timeout='180'
:env:.find-links='/opt/wheels'
global.cert='/etc/ssl/own.pem'
global.extra-index-url='https://a.example.org\\nhttps://b.example.org'
"""


def written(text: str) -> dict[str, str]:
    """As pip reads it."""
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return dict(parser["global"])


def test_the_index_travels_and_this_machines_files_do_not() -> None:
    found = written(pip_conf(read_settings(LISTED), has_authority=True))
    assert found == {
        "index-url": "https://user:p%40ss@packages.example.org/simple",
        "extra-index-url": "https://a.example.org\nhttps://b.example.org",
        "timeout": "180",
        "cert": "/run/secrets/ca-bundle",
    }


def test_without_an_authority_none_is_named() -> None:
    assert "cert" not in pip_conf(read_settings(LISTED), has_authority=False)


def test_a_machine_without_settings_says_nothing() -> None:
    assert written(pip_conf(read_settings(""), has_authority=False)) == {}


def test_the_file_is_the_owners_and_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("certificates")
    monkeypatch.setenv("PIP_CERT", str(authority))
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:secret@packages.example.org/simple")
    with index_secrets() as secrets:
        path = secrets["pip.conf"]
        assert path.stat().st_mode & 0o777 == 0o600
        assert "secret@packages" in path.read_text()
        assert secrets["ca-bundle"] == authority
    assert not path.exists()
    assert authority.exists()


def test_a_missing_authority_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIP_CERT", str(tmp_path / "nothing.pem"))
    with index_secrets() as secrets:
        assert set(secrets) == {"pip.conf"}
