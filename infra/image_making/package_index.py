"""Where this machine's pip finds packages, told to a build as secrets.

An index of one's own, its credentials and the certificate authority of a proxy must reach the
build and must not stay in the image: BuildKit mounts a secret for one instruction, keeps it out of
every layer and out of the cache's key
(https://docs.docker.com/build/building/secrets/).
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

TRAVELLING = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries")
"""What holds in a container too; the rest of a pip configuration names this machine's files."""

AUTHORITY_IN_BUILD = "/run/secrets/ca-bundle"
ORDER = ("global", "user", "site", "install", ":env:")
"""Of pip's settings, the last wins (https://pip.pypa.io/en/stable/topics/configuration/)."""


@contextmanager
def index_secrets() -> Generator[Mapping[str, Path]]:
    """Files by the ids under which the Dockerfiles mount them: ``pip.conf``, ``ca-bundle``.

    The first is gone, with its folder, at the end of the block.
    """
    settings = read_settings(_pip_config_list())
    with tempfile.TemporaryDirectory(prefix="pip-conf-") as folder:
        path = Path(folder) / "pip.conf"
        path.touch(mode=0o600)
        secrets = {"pip.conf": path}
        authority = _authority(settings)
        if authority is not None:
            secrets["ca-bundle"] = authority
        path.write_text(pip_conf(settings, has_authority=authority is not None))
        yield secrets


def read_settings(listed: str) -> dict[str, str]:
    """pip's settings, without their sections, from what `pip config list` prints."""
    found: dict[str, dict[str, str]] = {section: {} for section in ORDER}
    for line in listed.splitlines():
        name, separator, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if separator and section in found:
            found[section][key.removeprefix("default-")] = str(ast.literal_eval(value))
    merged: dict[str, str] = {}
    for section in ORDER:
        merged |= found[section]
    return merged


def pip_conf(settings: Mapping[str, str], *, has_authority: bool) -> str:
    """The file that pip reads in the build."""
    chosen = {key: settings[key] for key in TRAVELLING if key in settings}
    if has_authority:
        chosen["cert"] = AUTHORITY_IN_BUILD
    # A value of several lines, such as two further indexes, goes on behind a space.
    lines = [f"{key} = {value.replace(chr(10), chr(10) + ' ')}" for key, value in chosen.items()]
    return "\n".join(["[global]", *lines, ""])


def _authority(settings: Mapping[str, str]) -> Path | None:
    """The certificates that this machine trusts, where somebody chose them."""
    chosen = settings.get("cert") or os.environ.get("SSL_CERT_FILE")
    path = Path(chosen) if chosen else None
    return path if path is not None and path.is_file() else None


def _pip_config_list() -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout if done.returncode == 0 else ""
