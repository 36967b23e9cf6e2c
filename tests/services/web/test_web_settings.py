"""Settings and command line of the client application: every mistake is one clear line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.launch import ROOT, free_ports
from services.web.settings import WebSettings


def test_the_defaults_are_those_of_the_demo() -> None:
    settings = WebSettings()
    assert (settings.port, settings.metrics_port) == (8080, 9080)
    assert settings.faq_url == "http://127.0.0.1:8081"
    assert settings.resnet_url == "http://127.0.0.1:8082"
    assert settings.max_picture_bytes == 8 << 20


@pytest.mark.parametrize(
    "url",
    [
        "", "faq", "ftp://host", "http://", "http://user:secret@host", "http://host:99999",
        "http://host:0", "http://[", "http://127.0.0.1?key=x", "http://127.0.0.1#x",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValidationError) as raised:
        WebSettings(faq_url=url)
    assert raised.value.error_count() == 1


def test_a_path_in_an_address_stays_and_a_slash_at_its_end_goes() -> None:
    assert WebSettings(faq_url="http://localhost/faq/").faq_url == "http://localhost/faq"


def test_a_service_on_another_machine_needs_a_key(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="resnet_key_file"):
        WebSettings(resnet_url="https://scoring.example")
    WebSettings(resnet_url="https://scoring.example", resnet_key_file=tmp_path / "key")


def serve(*options: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    port, metrics_port = free_ports(2)
    ports = ("--port", str(port), "--metrics-port", str(metrics_port))
    return subprocess.run(
        [sys.executable, "-m", "services.web", "serve", *ports, *map(str, options)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("content", [b"", b"two keys\n", b"a\nb", b"k" * 600, b"\xff\xfe"])
def test_a_key_file_without_a_key_stops_the_start_and_is_named(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "faq.key"
    path.write_bytes(content)
    done = serve("--faq-key-file", path)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line == f"services.web serve: {path}: must hold one API key and nothing else"


def test_a_key_file_that_is_missing_stops_the_start_and_is_named(tmp_path: Path) -> None:
    done = serve("--resnet-key-file", tmp_path / "none")
    assert done.returncode == 1
    assert f"{tmp_path / 'none'}: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_key_can_be_given_by_flag_or_environment(tmp_path: Path) -> None:
    options = serve("--help").stdout
    assert "--faq-key-file" in options
    assert "--faq-key " not in options
    assert serve("--faq-key", "x").returncode == 2


def test_a_bad_environment_variable_is_one_line() -> None:
    done = serve(WEB_FAQ_URL="nonsense")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "WEB_FAQ_URL" in done.stderr
