"""`make images`: each image with its bill of materials, which names all that is in it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.image_making.bill_of_materials import BillOfMaterialsFailed, find_syft
from infra.image_making.docker_client import DockerClient
from services.launch import ROOT
from tests.images.engine import absent
from tests.images.fixtures import Images
from tests.images.registry import Registry

PYTHON_PACKAGES = (
    "import importlib.metadata as m; "
    "print(*(f'{d.name}=={d.version}' for d in m.distributions(path=['SITE'])))"
).replace("SITE", "/venv/lib/python3.11/site-packages")


@dataclass(frozen=True)
class Made:
    """What the command left."""

    output: str
    image: dict[str, Any]
    bill: dict[str, Any]


def make(docker: DockerClient, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.image_making", *map(str, arguments)],
        cwd=ROOT, env=docker.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(images: Images, registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The client application's image, made and pushed by the command."""
    try:
        find_syft()
    except BillOfMaterialsFailed as missing:
        absent(str(missing))
    folder = tmp_path_factory.mktemp("made") / "images"
    done = make(
        images.docker, "local", "web", "--into", folder, "--push", registry.address,
        "--base-image", images.base, "--network", "host",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert sorted(path.name for path in folder.iterdir()) == ["web.cdx.json", "web.json"]
    image = json.loads((folder / "web.json").read_text())
    return Made(done.stdout, image, json.loads((folder / "web.cdx.json").read_text()))


def test_it_says_the_digest_that_a_stack_takes(
    made: Made, docker: DockerClient, registry: Registry
) -> None:
    digest = made.image["digest"]
    assert re.fullmatch(rf"{registry.address}/scoring-web@sha256:[0-9a-f]{{64}}", digest)
    assert digest in made.output
    docker.run("pull", digest)
    form = "{{.Id}}"
    assert docker.run("image", "inspect", "--format", form, digest).strip() == made.image["id"]


def test_the_bill_is_of_this_image(made: Made) -> None:
    assert made.bill["bomFormat"] == "CycloneDX"
    component = made.bill["metadata"]["component"]
    assert (component["type"], component["name"]) == ("container", "scoring-web")
    assert component["version"] == made.image["id"]


def test_every_python_package_is_named_with_its_version(made: Made, images: Images) -> None:
    image = made.image["id"]
    program = ("--entrypoint", "python", image, "-c", PYTHON_PACKAGES)
    printed = images.docker.run("run", "--rm", "--network", "none", *program)
    present = {normalised(each) for each in printed.split()}
    named = {
        normalised(f"{each['name']}=={each['version']}")
        for each in made.bill["components"]
        if each.get("purl", "").startswith("pkg:pypi/")
    }
    assert len(present) > 20
    assert present <= named


def normalised(package: str) -> str:
    """Its name as PEP 503 compares names, and its version."""
    name, _, version = package.partition("==")
    return f"{re.sub('[-_.]+', '-', name).lower()}=={version}"


def test_every_system_package_is_named(made: Made, images: Images) -> None:
    query = ("-W", "-f", "${Package}\\n")
    program = ("--entrypoint", "dpkg-query", made.image["id"], *query)
    present = set(images.docker.run("run", "--rm", "--network", "none", *program).split())
    named = {
        each["name"]
        for each in made.bill["components"]
        if each.get("purl", "").startswith("pkg:deb/")
    }
    assert len(present) > 50
    assert present <= named


def test_licences_are_named(made: Made) -> None:
    (flask,) = (each for each in made.bill["components"] if each["name"].lower() == "flask")
    assert "BSD-3-Clause" in json.dumps(flask["licenses"])


def test_a_build_that_fails_leaves_nothing_and_says_why(images: Images, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    nowhere = "127.0.0.1:9/there-is/no-such-base:1"
    done = make(images.docker, "local", "web", "--into", folder, "--base-image", nowhere)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("python -m infra.image_making: docker build")
    assert list(folder.iterdir()) == []
