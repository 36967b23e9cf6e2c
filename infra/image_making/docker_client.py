"""The `docker` program, as far as building images goes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

VERSION = re.compile(r"version (\d+)\.")
BUILDX_SINCE = 23
"""From this version on the program itself cannot drive BuildKit; it needs the plugin buildx."""


class DockerFailed(Exception):
    """What Docker could not do; the message is one line."""


@dataclass(frozen=True)
class DockerClient:
    """A `docker` program that builds with BuildKit.

    Attributes:
        program: its path.
        host: address of the engine; None for the user's own choice.
    """

    program: Path
    host: str | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """What it, and programs like it, must find in their environment."""
        engine = {} if self.host is None else {"DOCKER_HOST": self.host}
        return {**os.environ, **engine, "DOCKER_BUILDKIT": "1"}

    def run(self, *arguments: str | Path, timeout: float = 120) -> str:
        """What a command prints.

        Raises:
            DockerFailed: it ended with another status than 0, or took too long.
        """
        try:
            done = subprocess.run(
                [self.program, *map(str, arguments)],
                env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=timeout, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise DockerFailed(f"docker {arguments[0]} took more than {timeout:g} s") from None
        if done.returncode:
            raise DockerFailed(f"docker {arguments[0]}: {last_line(done.stderr)}")
        return done.stdout

    def show(self, *arguments: str | Path) -> None:
        """Run a command whose progress the user sees on standard error.

        Raises:
            DockerFailed: it ended with another status than 0.
        """
        done = subprocess.run(
            [self.program, *map(str, arguments)],
            env=self.environment, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        if done.returncode:
            raise DockerFailed(f"docker {arguments[0]} ended with status {done.returncode}")


def find_docker(host: str | None = None) -> DockerClient:
    """The first `docker` of the search path that can build with BuildKit.

    Several may be installed, and a program without buildx beside one that has it is no rarity.

    Raises:
        DockerFailed: there is none.
    """
    found = _programs()
    for program in found:
        if _drives_buildkit(program):
            return DockerClient(program, host)
    if found:
        raise DockerFailed("docker is here, but not its plugin buildx (package docker-buildx)")
    raise DockerFailed("docker is not here (package docker.io)")


def last_line(text: str) -> str:
    """The last line that says something: where programs put their reason.

    Behind it Docker may still say where to read of its flags.
    """
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("See 'docker ")]
    return lines[-1] if lines else "it gave no reason"


def _programs() -> list[Path]:
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = (shutil.which("docker", path=folder) for folder in folders if folder)
    return list(dict.fromkeys(Path(each) for each in found if each))


def _drives_buildkit(program: Path) -> bool:
    version = VERSION.search(_printed(program, "--version"))
    if version is None:
        return False
    return int(version[1]) < BUILDX_SINCE or bool(_printed(program, "buildx", "version"))


def _printed(program: Path, *arguments: str) -> str:
    """Standard output of a command; empty if it failed."""
    try:
        done = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "" if done.returncode else done.stdout
