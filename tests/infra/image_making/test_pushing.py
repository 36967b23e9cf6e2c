"""The digest of a pushed image, as a stack takes it; tests/images sees a real engine push."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.image_making.docker_client import DockerClient, DockerFailed
from infra.image_making.pushing import push

HASH = f"sha256:{'ab' * 32}"


def engine(folder: Path, *digests: str) -> DockerClient:
    """A `docker` that pushes anything, and then lists these digests."""
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n[ \"$1\" = push ] || echo '{json.dumps(digests)}'\n")
    program.chmod(0o755)
    return DockerClient(program)


@pytest.mark.parametrize(
    ("repository", "listed"),
    [
        ("registry.example.com:5000/team/scoring-faq", None),
        ("docker.io/team/scoring-faq", "team/scoring-faq"),
        ("index.docker.io/team/scoring-faq", "team/scoring-faq"),
        ("team/scoring-faq", "team/scoring-faq"),
        ("docker.io/scoring-faq", "scoring-faq"),
        ("docker.io/library/scoring-faq", "scoring-faq"),
    ],
)
def test_a_pushed_image_has_the_digest_of_its_repository_whatever_docker_calls_it(
    tmp_path: Path, repository: str, listed: str | None
) -> None:
    others = (f"registry.example.com/scoring-faq@{HASH[:-1]}1", f"other/scoring-faq@{HASH[:-1]}2")
    docker = engine(tmp_path, *others, f"{listed or repository}@{HASH}")
    assert push(docker, f"{repository}:latest") == f"{repository}@{HASH}"


def test_an_image_without_a_digest_of_its_repository_is_said(tmp_path: Path) -> None:
    docker = engine(tmp_path, f"other.example.com/team/scoring-faq@{HASH}")
    with pytest.raises(DockerFailed) as failed:
        push(docker, "registry.example.com/team/scoring-faq:latest")
    assert str(failed.value) == (
        "registry.example.com/team/scoring-faq:latest is pushed, but docker names no digest of it; "
        "take it from the registry"
    )
