"""An image is named by what it holds: a registry cannot slip another one in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.image_making.docker_client import DockerClient, DockerFailed
from infra.workload import WORKLOADS, WorkloadName
from tests.images.fixtures import Images
from tests.images.registry import Registry, pushed


def identifier(docker: DockerClient, reference: str) -> str:
    return docker.run("image", "inspect", "--format", "{{.Id}}", reference).strip()


@pytest.mark.parametrize("workload", WORKLOADS)
def test_the_digest_names_what_was_built(
    images: Images, references: Mapping[WorkloadName, str], workload: WorkloadName
) -> None:
    assert identifier(images.docker, references[workload]) == images.ids[workload]


def test_a_digest_brings_the_image_that_was_pushed(
    docker: DockerClient, registry: Registry, small_image: str
) -> None:
    reference = pushed(docker, small_image, registry, "small")
    built = identifier(docker, small_image)
    docker.run("rmi", "--force", built)
    docker.run("pull", reference)
    assert identifier(docker, reference) == built


def test_a_changed_image_is_refused(
    docker: DockerClient, registry: Registry, small_image: str
) -> None:
    """Somebody with the registry's disk puts another user into the image's configuration."""
    reference = pushed(docker, small_image, registry, "forged")
    built = identifier(docker, small_image)
    docker.run("rmi", "--force", built)
    blob = registry.blob(built)
    configuration = json.loads(blob.read_bytes())
    configuration["config"]["User"] = "0"
    blob.write_bytes(json.dumps(configuration).encode())
    with pytest.raises(DockerFailed):
        docker.run("pull", reference)


@pytest.fixture
def small_image(docker: DockerClient, base: str, tmp_path: Path) -> str:
    """One of its own for each test, on the same base."""
    (tmp_path / "Dockerfile").write_text(f"FROM {base}\nLABEL of={tmp_path.name}\nUSER 10001\n")
    name = f"scoring-test-small:{tmp_path.name}"
    docker.run("build", "--tag", name, str(tmp_path))
    return name
