"""The engine, the images and the containers, made once for every test that needs them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.image_making.build import ImageBuild, build_image, without_model
from infra.image_making.docker_client import DockerClient
from infra.image_source import ImageSource
from infra.images import BuildSpec, build_spec, stamped
from infra.settings import Settings
from infra.workload import WORKLOADS, WorkloadName, services_of
from tests.images.base_image import base_image
from tests.images.containers import LABEL, Container, Containers, Stack, stack
from tests.images.engine import CACHE, docker_engine
from tests.images.registry import Registry, images_of, pushed, running_registry

SOURCE = ImageSource("0123456789abcdef0123456789abcdef01234567", "1.2.3", datetime.now(UTC))
"""Always the same, or every commit would be another image here."""


@dataclass(frozen=True)
class Images:
    """Images of this source, in the engine.

    Attributes:
        base: what they are built on.
        ids: by workload; those of the services hold their models.
        bare: the same without any model.
        resnet_model: what the picture service's image holds.
    """

    docker: DockerClient
    base: str
    ids: Mapping[WorkloadName, str]
    bare: Mapping[WorkloadName, str]
    resnet_model: Path

    def size(self, image: str) -> int:
        """Bytes of its layers, uncompressed."""
        return int(self.docker.run("image", "inspect", "--format", "{{.Size}}", image))


@pytest.fixture(scope="session")
def docker() -> Iterator[DockerClient]:
    """A Docker engine."""
    with docker_engine() as docker:
        yield docker


@pytest.fixture(scope="session")
def base(docker: DockerClient) -> str:
    """The image that the others are built on."""
    return base_image(docker)


@pytest.fixture(scope="session")
def local_stack() -> Stack:
    """The local stack, whose settings say how its images are built."""
    return stack()


@pytest.fixture(scope="session")
def images(docker: DockerClient, base: str, local_stack: Stack, resnet_model: Path) -> Images:
    """All images, built.

    The picture service's takes its network from outside: the stage that fetches and exports one
    installs torch, which is three gigabytes.
    """

    def build(workload: WorkloadName, *, bare: bool = False) -> str:
        name = f"{workload}-bare" if bare else workload
        model = resnet_model if workload == "resnet" and not bare else None
        return built(docker, base, local_stack.settings, workload, name, bare=bare, model=model)

    ids: dict[WorkloadName, str] = {workload: build(workload) for workload in WORKLOADS}
    bare: dict[WorkloadName, str] = {**ids}
    for workload in services_of(local_stack.settings):
        bare[workload] = build(workload, bare=True)
    return Images(docker, base, ids, bare, resnet_model)


def built(
    docker: DockerClient,
    base: str,
    settings: Settings,
    workload: WorkloadName,
    name: str,
    *,
    bare: bool = False,
    model: Path | None = None,
) -> str:
    """The id of a workload's image, built as a stack says; ``bare`` is without its model."""
    spec = build_spec(settings, workload)
    spec = stamped(BuildSpec(spec.target, {**spec.arguments, "BASE_IMAGE": base}), SOURCE)
    spec = without_model(workload, spec) if bare else spec
    # The network of the machine: the tests' own engine gives builds no other.
    build = ImageBuild(workload, spec, f"scoring-test-{name}", network="host", model=model)
    return build_image(docker, build)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory, docker: DockerClient) -> Iterator[Registry]:
    """A registry on loopback; what it holds is kept where the tests' own engine keeps its images."""
    folder = tmp_path_factory.mktemp("registry")
    # Beside a user's engine several runs may go on at once.
    kept = folder / "images" if docker.host is None else CACHE / "registry"
    with running_registry(folder, kept) as registry:
        yield registry
        # Its port is in their names: the next run's have others.
        docker.run("image", "rm", "--force", *images_of(docker, registry))


@pytest.fixture(scope="session")
def references(
    docker: DockerClient, images: Images, registry: Registry
) -> Mapping[WorkloadName, str]:
    """The images as a stack names them: pushed, pulled, by digest."""
    found: dict[WorkloadName, str] = {}
    for workload, image in images.ids.items():
        found[workload] = pushed(docker, image, registry, f"scoring-{workload}")
        docker.run("pull", found[workload], timeout=600)
    return found


@pytest.fixture(scope="session")
def container_network(docker: DockerClient) -> Iterator[str]:
    """A network for the tests' containers, which leads nowhere else."""
    name = f"scoring-tests-{os.getpid()}"
    docker.run("network", "create", "--label", LABEL, name)
    yield name
    left = docker.run("ps", "--all", "--quiet", "--filter", f"network={name}").split()
    if left:
        docker.run("rm", "--force", "--volumes", *left)
    docker.run("network", "rm", name)


@pytest.fixture(scope="session")
def containers(
    docker: DockerClient,
    references: Mapping[WorkloadName, str],
    container_network: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Containers:
    """Starts containers of the three images."""
    folder = tmp_path_factory.mktemp("containers")
    return Containers(docker, references, container_network, folder)


@pytest.fixture(scope="session")
def stack_in_containers(
    containers: Containers, local_stack: Stack
) -> Iterator[Mapping[WorkloadName, Container]]:
    """All three, as the local stack has them: the client application finds the services by name."""
    with ExitStack() as running:
        yield {
            workload: running.enter_context(
                containers.running(workload, local_stack, options=("--network-alias", workload))
            )
            for workload in WORKLOADS
        }
