"""A pod's memory holds two models, as measured, and the bodies that wait for them.

The stack's own models come with their images, one at a time; a folder that is replaced in place
(docs/models.md) has two for a while.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.settings import Settings, read_settings
from infra.workload import picture_library
from tests.infra.plans import NAMES, settings_of
from tests.infra.stack_files import ROOT, SOUND

MEGABYTE = 1e6
MEBIBYTE = 1 << 20
FAQ = ("faq", "–")
NETWORK = "resnet152"
"""The default of both collections of networks."""


def measured_mib() -> dict[tuple[str, str], float]:
    """The most that a service had while its model was replaced, by network and library."""
    recorded = (ROOT / "benchmarks" / "results" / "updates.json").read_text(encoding="utf-8")
    (table,) = json.loads(recorded)["tables"]
    place = table["columns"].index("during updates MB")
    return {
        (row[0], row[1]): float(row[place].replace(",", "")) * MEGABYTE / MEBIBYTE
        for row in table["rows"]
    }


def missing_mib(settings: Settings) -> dict[str, float]:
    """What each service's pods lack; nothing where two models and the bodies fit.

    A GPU's process is held to what torch takes on a CPU, if that was measured; CUDA comes on top.
    """
    measured = measured_mib()
    resnet = (settings.resnet.architecture, picture_library(settings))
    found: dict[str, float] = {}
    for name, service, row in (("faq", settings.faq, FAQ), ("resnet", settings.resnet, resnet)):
        missing = measured.get(row, 0) + service.queue_mib - service.memory_mib
        if service.enabled and missing > 0:
            found[name] = missing
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_stacks_pods_hold_two_models(name: str) -> None:
    assert not missing_mib(settings_of(name))


def test_what_the_stacks_run_by_default_was_measured() -> None:
    assert {FAQ, (NETWORK, "onnxruntime")} <= measured_mib().keys()


@pytest.mark.parametrize("library", [row[1] for row in measured_mib() if row[0] == NETWORK])
def test_the_defaults_hold_two_models_of_every_library_that_was_measured(library: str) -> None:
    values: dict[str, Any] = {**SOUND, "resnet": {"backend": library}}
    assert not missing_mib(read_settings(values))


def test_a_pod_that_holds_one_model_is_told_from_one_that_holds_two() -> None:
    """The check itself: the least that the settings allow is enough for one ResNet-152."""
    values: dict[str, Any] = {**SOUND, "resnet": {"memory_mib": 1024}}
    assert set(missing_mib(read_settings(values))) == {"resnet"}
