"""Targets and labels of an image; tests/images builds the images themselves."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from infra.image_making.build import WITHOUT_MODEL, provenance_labels, without_model
from infra.images import BuildSpec, build_spec
from infra.workload import WORKLOADS, WorkloadName
from tests.infra.kubernetes.platform_objects import FULL, ROOT, settings_with

REVISION = "org.opencontainers.image.revision"
CREATED = "org.opencontainers.image.created"


@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("settings", [{}, FULL], ids=["cpu", "gpu"])
def test_every_target_has_one_without_the_model(
    workload: WorkloadName, settings: dict[str, object]
) -> None:
    text = (ROOT / "services" / workload / "Dockerfile").read_text()
    stages = re.findall(r"^FROM \S+ AS (\S+)$", text, re.M)
    whole = build_spec(settings_with(settings), workload)
    bare = without_model(workload, whole)
    assert bare.arguments == whole.arguments
    for spec in (whole, bare):
        assert spec.target is None or spec.target in stages


def test_the_stage_without_a_model_is_what_the_model_is_laid_on() -> None:
    for (workload, target), bare in WITHOUT_MODEL.items():
        if bare is None:
            continue
        text = (ROOT / "services" / workload / "Dockerfile").read_text()
        name = target or "service"
        model = f"{name}-model" if f" AS {name}-model\n" in text else "model"
        folder = f"/models/{workload}"
        assert f"FROM {bare} AS {name}\nCOPY --from={model} {folder} {folder}\n" in text


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *arguments]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--message", "one", "--date", "2026-01-02T03:04:05Z")
    return tmp_path


def test_an_image_says_which_source_it_is_made_of(source: Path) -> None:
    labels = provenance_labels(source)
    assert labels[REVISION] == git(source, "rev-parse", "HEAD")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", labels[CREATED])


def test_a_changed_source_has_no_revision(source: Path) -> None:
    (source / "file").write_text("two")
    assert provenance_labels(source) == {}


def test_outside_a_work_tree_there_is_none(tmp_path: Path) -> None:
    assert provenance_labels(tmp_path) == {}


def test_a_target_nobody_knows_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        without_model("faq", BuildSpec("torch", {}))
