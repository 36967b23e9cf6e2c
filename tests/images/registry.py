"""A registry on loopback: Debian's docker-registry."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from infra.image_making.docker_client import DockerClient
from services.launch import free_ports
from tests.images.engine import absent, process

MOST_KEPT_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Registry:
    """One that runs.

    Attributes:
        address: what its images' names begin with.
        folder: where it keeps them.
    """

    address: str
    folder: Path

    def blob(self, digest: str) -> Path:
        """The file with the bytes of a digest, ``sha256:…``."""
        algorithm, _, name = digest.partition(":")
        blobs = self.folder / "docker" / "registry" / "v2" / "blobs"
        return blobs / algorithm / name[:2] / name / "data"


@contextmanager
def running_registry(folder: Path, kept: Path) -> Iterator[Registry]:
    """A registry until the end of the block.

    Args:
        folder: for its settings and log.
        kept: where it keeps images for the next run, so that only changed layers are compressed
            and pushed.
    """
    if kept.is_dir() and size_of(kept) > MOST_KEPT_BYTES:
        shutil.rmtree(kept)
    program = shutil.which("docker-registry") or shutil.which("registry")
    if program is None:
        absent("no registry is here (Debian's package docker-registry); make docker")
    (port,) = free_ports(1)
    settings = {
        "version": 0.1,
        "log": {"accesslog": {"disabled": True}, "level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(kept)}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    path = folder / "registry.yaml"
    path.write_text(yaml.safe_dump(settings))
    with process([program, "serve", path], folder / "registry.log", stop_seconds=10) as registry:
        _wait_until_it_listens(registry, port)
        yield Registry(f"127.0.0.1:{port}", kept)


def pushed(docker: DockerClient, image: str, registry: Registry, name: str) -> str:
    """Push an image of the engine and return it as ``registry/name@sha256:…``."""
    tag = f"{registry.address}/{name}:test"
    docker.run("tag", image, tag)
    docker.run("push", tag, timeout=600)
    digests = json.loads(docker.run("image", "inspect", "--format", "{{json .RepoDigests}}", tag))
    (digest,) = [each for each in digests if each.startswith(f"{registry.address}/")]
    docker.run("rmi", tag)
    return digest


def images_of(docker: DockerClient, registry: Registry) -> list[str]:
    """What the engine calls the images that it has of a registry."""
    form = "{{.Repository}} {{.Tag}} {{.Digest}}"
    printed = docker.run("image", "ls", "--digests", "--format", form, f"{registry.address}/*")
    lines = [line.split() for line in printed.splitlines()]
    return sorted({
        f"{repository}:{tag}" if tag != "<none>" else f"{repository}@{digest}"
        for repository, tag, digest in lines
    })  # fmt: skip


def size_of(folder: Path) -> int:
    """Bytes of the files in a folder and those below."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _wait_until_it_listens(registry: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and registry.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    pytest.fail("the registry does not listen")
