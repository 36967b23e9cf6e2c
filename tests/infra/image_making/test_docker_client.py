"""Which `docker` is taken, and what becomes of its failures."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.image_making.docker_client import DockerClient, DockerFailed, find_docker


def program(folder: Path, version: str, *, buildx: bool = False) -> Path:
    """A `docker` that knows its version, and its plugin if it has it."""
    folder.mkdir()
    path = folder / "docker"
    path.write_text(
        "#!/bin/sh\n"
        f'case "$1" in --version) echo "Docker version {version}, build 1" ;;\n'
        f"buildx) {'echo buildx 0.20' if buildx else 'exit 1'} ;;\n"
        "fails) echo 'first line' >&2; echo 'the reason' >&2;\n"
        """       echo "See 'docker fails --help'." >&2; exit 3 ;;\n"""
        'host) echo "$DOCKER_HOST $DOCKER_BUILDKIT" ;;\n'
        "hangs) exec /bin/sleep 60 ;;\n"
        "esac\n"
    )
    path.chmod(0o755)
    return path


def search(monkeypatch: pytest.MonkeyPatch, *programs: Path) -> None:
    """Let these be the only ones on the search path."""
    monkeypatch.setenv("PATH", ":".join(str(path.parent) for path in programs))


@pytest.mark.parametrize(("version", "buildx"), [("20.10.24", False), ("28.2.2", True)])
def test_one_that_drives_buildkit_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, buildx: bool
) -> None:
    docker = program(tmp_path / "a", version, buildx=buildx)
    search(monkeypatch, docker)
    assert find_docker().program == docker


def test_one_without_buildx_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare = program(tmp_path / "a", "28.2.2")
    whole = program(tmp_path / "b", "20.10.24")
    search(monkeypatch, bare, whole)
    assert find_docker().program == whole


def test_without_buildx_the_reason_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    search(monkeypatch, program(tmp_path / "a", "28.2.2"))
    with pytest.raises(DockerFailed, match="buildx"):
        find_docker()


def test_without_docker_the_reason_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DockerFailed, match="not here"):
        find_docker()


def test_a_failure_is_its_last_line(tmp_path: Path) -> None:
    docker = DockerClient(program(tmp_path / "a", "20.10.24"))
    with pytest.raises(DockerFailed) as failed:
        docker.run("fails")
    assert str(failed.value) == "docker fails: the reason"


def test_what_takes_too_long_is_given_up(tmp_path: Path) -> None:
    docker = DockerClient(program(tmp_path / "a", "20.10.24"))
    with pytest.raises(DockerFailed, match="more than"):
        docker.run("hangs", timeout=0.3)


def test_the_engine_is_told_by_the_environment(tmp_path: Path) -> None:
    docker = DockerClient(program(tmp_path / "a", "20.10.24"), "unix:///run/other.sock")
    assert docker.run("host").split() == ["unix:///run/other.sock", "1"]
