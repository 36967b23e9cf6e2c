"""Pushes an image, and says by which digest a stack takes it."""

from __future__ import annotations

import json
import re
from typing import cast

from infra.image_making.docker_client import DockerClient, DockerFailed

_DOCKER_HUB = re.compile(r"^(?:(?:index\.)?docker\.io/)?(?:library/)?")
"""What Docker leaves out of a repository's name where it is Docker Hub's."""


def push(docker: DockerClient, name: str) -> str:
    """Push an image; ``repository@sha256:…``, the repository as the name has it.

    Raises:
        DockerFailed: it cannot be pushed, or Docker names no digest of it then.
    """
    docker.show("push", name)
    repository = name.rpartition(":")[0]
    listed = docker.run("image", "inspect", "--format", "{{json .RepoDigests}}", name)
    for each in cast("list[str]", json.loads(listed) or []):
        of, _, digest = each.partition("@")
        if _short(of) == _short(repository):
            return f"{repository}@{digest}"
    raise DockerFailed(
        f"{name} is pushed, but docker names no digest of it; take it from the registry"
    )


def _short(repository: str) -> str:
    return _DOCKER_HUB.sub("", repository)
