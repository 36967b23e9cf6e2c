"""Targets and labels of an image; tests/images builds the images themselves."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from infra.image_making.build import WITHOUT_MODEL, labels_of, without_model
from infra.image_source import ImageSource
from infra.images import BuildSpec, build_spec
from infra.workload import WORKLOADS, WorkloadName
from tests.infra.kubernetes.platform_objects import FULL, ROOT, settings_with

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


def test_an_image_says_when_its_source_was_written() -> None:
    source = ImageSource("1" * 40, None, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert labels_of(source) == {CREATED: "2026-01-02T03:04:05+00:00"}
    assert labels_of(None) == {}


def test_a_target_nobody_knows_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        without_model("faq", BuildSpec("torch", {}))
