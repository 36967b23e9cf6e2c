"""What is in the images, and what is not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.image_making.build import ImageBuild, build_image
from infra.image_making.docker_client import DockerFailed
from infra.images import BuildSpec
from infra.kubernetes.pod import USER_ID
from infra.workload import WORKLOADS, WorkloadName
from services.launch import ROOT
from tests.images.fixtures import SOURCE, Images

MEGABYTE = 1_000_000
MOST_ADDED: Mapping[WorkloadName, int] = {
    "faq": 300 * MEGABYTE,
    "resnet": 350 * MEGABYTE,
    "web": 100 * MEGABYTE,
}
"""Over the base image, uncompressed and without the model."""

COMPILERS = (
    "cc", "c++", "gcc", "g++", "cpp", "clang", "tcc", "as", "ld", "make", "cmake", "ninja", "rustc",
    "cargo", "go", "nvcc",
)  # fmt: skip
LOOK_AROUND = """
import importlib.metadata, json, os, pathlib, shutil, sys
programs = json.loads(sys.argv[1])
site = pathlib.Path(sys.prefix) / "lib/python3.11/site-packages"
print(json.dumps({
    "compilers": [name for name in programs if shutil.which(name)],
    "packages": sorted(each.metadata["Name"].lower() for each in importlib.metadata.distributions()),
    "caches": [str(path) for path in pathlib.Path("/").glob("*/.cache/pip")],
    "user": [os.getuid(), os.getgid(), os.getgroups()],
    "writable": [place for place in ("/", "/app", "/app/services", "/venv", "/models", str(site))
                 if os.access(place, os.W_OK)],
    "sources": sorted(each.name for each in pathlib.Path("/app/services").iterdir()),
    "secrets": [each for each in ("/run/secrets/ca-bundle", "/etc/pip.conf")
                if os.path.exists(each) and os.path.getsize(each)],
}))
"""


@pytest.fixture(scope="module")
def looked(images: Images) -> Mapping[WorkloadName, dict[str, Any]]:
    """What a program finds that runs in each image as its user."""
    found: dict[WorkloadName, dict[str, Any]] = {}
    for workload, image in images.ids.items():
        program = ("--entrypoint", "python", image, "-c", LOOK_AROUND, json.dumps(COMPILERS))
        printed = images.docker.run("run", "--rm", "--network", "none", *program)
        found[workload] = json.loads(printed)
    return found


def configuration(images: Images, workload: WorkloadName) -> dict[str, Any]:
    form = "{{json .Config}}"
    return json.loads(images.docker.run("image", "inspect", "--format", form, images.ids[workload]))


@pytest.mark.parametrize("workload", WORKLOADS)
def test_it_adds_no_more_to_its_base_than_promised(images: Images, workload: WorkloadName) -> None:
    added = images.size(images.bare[workload]) - images.size(images.base)
    assert 20 * MEGABYTE < added <= MOST_ADDED[workload]


@pytest.mark.parametrize("workload", ["faq", "resnet"])
def test_the_model_is_inside_or_left_out(images: Images, workload: WorkloadName) -> None:
    """The stage without it differs by the model alone."""
    inside = files_of_the_model(images, images.ids[workload], workload)
    added = images.size(images.ids[workload]) - images.size(images.bare[workload])
    assert "manifest.json" in inside
    assert 1 * MEGABYTE < sum(inside.values()) == added < 50 * MEGABYTE
    assert files_of_the_model(images, images.bare[workload], workload) == {}


def files_of_the_model(images: Images, image: str, workload: WorkloadName) -> dict[str, int]:
    """Their sizes by name."""
    look = (
        "import json, pathlib, sys; folder = pathlib.Path('/models'); "
        "print(json.dumps({path.name: path.stat().st_size for path in folder.rglob('*') "
        "if path.is_file()}))"
    )
    program = ("--entrypoint", "python", image, "-c", look)
    return json.loads(images.docker.run("run", "--rm", "--network", "none", *program))


def test_the_network_inside_is_the_one_that_was_given(images: Images) -> None:
    given = {path.name: path.stat().st_size for path in images.resnet_model.iterdir()}
    assert files_of_the_model(images, images.ids["resnet"], "resnet") == given


@pytest.mark.parametrize("workload", WORKLOADS)
def test_it_runs_as_nobody_of_the_node(
    images: Images, looked: Mapping[WorkloadName, dict[str, Any]], workload: WorkloadName
) -> None:
    assert configuration(images, workload)["User"] == f"{USER_ID}:{USER_ID}"
    assert looked[workload]["user"] == [USER_ID, USER_ID, [USER_ID]]
    assert USER_ID > 10_000
    assert looked[workload]["writable"] == []


@pytest.mark.parametrize("workload", WORKLOADS)
def test_it_holds_nothing_that_builds(
    looked: Mapping[WorkloadName, dict[str, Any]], workload: WorkloadName
) -> None:
    assert looked[workload]["compilers"] == []
    assert looked[workload]["caches"] == []
    packages = set(looked[workload]["packages"])
    assert "httptools" in packages
    assert packages.isdisjoint({"pip", "setuptools", "wheel", "torch", "scikit-learn", "pytest"})


@pytest.mark.parametrize("workload", WORKLOADS)
def test_it_holds_its_own_service_alone(
    looked: Mapping[WorkloadName, dict[str, Any]], workload: WorkloadName
) -> None:
    wanted = {"__init__.py", "__pycache__", "serving", workload}
    assert set(looked[workload]["sources"]) == wanted


@pytest.mark.parametrize("workload", WORKLOADS)
def test_the_builds_secrets_stay_outside(
    images: Images, looked: Mapping[WorkloadName, dict[str, Any]], workload: WorkloadName
) -> None:
    """Neither in a file of the image nor in its history."""
    assert looked[workload]["secrets"] == []
    history = images.docker.run("history", "--no-trunc", "--format", "json", images.ids[workload])
    assert "BEGIN CERTIFICATE" not in history


@pytest.mark.parametrize("workload", WORKLOADS)
def test_it_says_what_it_is(images: Images, workload: WorkloadName) -> None:
    labels = configuration(images, workload)["Labels"]
    own = {key.rpartition("image.")[2]: value for key, value in labels.items()}
    assert own["title"] == f"realtime-scoring {workload}"
    assert own["licenses"] == "MIT"
    assert own["base.name"] == images.base
    assert (own["revision"], own["version"]) == (SOURCE.revision, SOURCE.version)
    assert own["description"]


@pytest.mark.parametrize("workload", WORKLOADS)
def test_probing_is_left_to_kubernetes(images: Images, workload: WorkloadName) -> None:
    found = configuration(images, workload)
    assert found["Healthcheck"] == {"Test": ["NONE"]}
    assert set(found["ExposedPorts"]) == {"8080/tcp", "9090/tcp"}
    assert found["Entrypoint"] == ["python", "-m", f"services.{workload}", "serve"]


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_package_with_another_hash_stops_the_build(
    images: Images, tmp_path: Path, workload: WorkloadName
) -> None:
    shutil.copytree(
        ROOT / "services", tmp_path / "services",
        ignore=shutil.ignore_patterns("__pycache__", "corpus", "static"),
    )  # fmt: skip
    requirements = tmp_path / "services" / workload / "requirements.txt"
    requirements.write_text(
        "# One package, and the hash of another.\n"
        f"typing-extensions==4.15.0 --hash=sha256:{'0' * 64}\n"
    )
    arguments = {"BASE_IMAGE": images.base}
    spec = BuildSpec("packages", arguments)
    build = ImageBuild(workload, spec, "scoring-test-forged", context=tmp_path, network="host")
    with pytest.raises(DockerFailed) as stopped:
        build_image(images.docker, build)
    assert "pip install" in str(stopped.value)
