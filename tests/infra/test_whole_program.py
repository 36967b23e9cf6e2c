"""Every stack and matrix file, through the program that `pulumi up` runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.planning.document import document
from infra.planning.stacks import ROOT
from infra.recording import Recorded, Recording, record
from tests.infra.azure.cluster_side import inputs_of
from tests.infra.invariants import platform, structure, traffic, workloads
from tests.infra.plans import NAMES, recording_of, settings_of

ARM_CHECK = ROOT.parent / "shared" / "arm" / "check"
INVARIANTS = (
    *structure.INVARIANTS,
    *platform.INVARIANTS,
    *workloads.INVARIANTS,
    *traffic.INVARIANTS,
)

RUN_AGAIN = {"dev", "local", "prod", "split-services"}
"""Between them they have nearly everything; the others are run twice in the slow tests."""

every_stack = pytest.mark.parametrize("stack", NAMES)


def test_there_are_stacks_to_test() -> None:
    assert {"dev", "prod", "local"} <= set(NAMES)
    assert len(NAMES) >= 15


@pytest.mark.parametrize(
    "stack",
    [name if name in RUN_AGAIN else pytest.param(name, marks=pytest.mark.slow) for name in NAMES],
)
def test_a_second_run_declares_the_same(stack: str) -> None:
    assert record(settings_of(stack), stack=stack) == recording_of(stack)


@every_stack
@pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda invariant: invariant.__name__)
def test_invariant(stack: str, invariant: Callable[[Recording], Iterator[str]]) -> None:
    assert list(invariant(recording_of(stack))) == []


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_platform_by_itself_is_a_part_of_the_whole(stack: str) -> None:
    """The first deployment stops there, for the registry to be signed in to, and then goes on."""
    settings = settings_of(stack).model_copy(update={"layers": ("platform",)})
    whole = {resource.urn: resource for resource in recording_of(stack).resources}

    for resource in record(settings, stack=stack).resources:
        assert _without_order(resource) == _without_order(whole[resource.urn])
        assert set(resource.options.depends_on) <= set(whole[resource.urn].options.depends_on)


def _without_order(resource: Recorded) -> Recorded:
    """A lock comes after more in the whole; Pulumi only notes that down."""
    if not resource.type.endswith(":ManagementLockByScope"):
        return resource
    return replace(resource, options=replace(resource.options, depends_on=()))


def test_the_platform_of_a_split_stack_has_the_add_on_that_its_services_scale_with() -> None:
    assert recording_of("split-services").of_type(":ScaledObject")
    cluster = inputs_of(recording_of("split-platform").one(":ManagedCluster"))
    assert cluster["workloadAutoScalerProfile"]["keda"] == {"enabled": True}


@every_stack
@pytest.mark.skipif(
    not ARM_CHECK.exists(), reason="Azure's type definitions (../shared/arm) are not here"
)
def test_azure_would_know_every_property(stack: str, tmp_path: Path) -> None:
    if settings_of(stack).is_local:
        pytest.skip("nothing of it is in Azure")
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(document(recording_of(stack).resources)), encoding="utf-8")
    check = subprocess.run(
        [sys.executable, str(ARM_CHECK), str(plan)], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stdout + check.stderr


def test_everything_is_named_and_tagged_after_the_stack() -> None:
    recording = recording_of("prod")
    group = inputs_of(recording.one("resources:ResourceGroup"))
    assert group["resourceGroupName"] == "rg-scoring-prod"
    assert group["tags"].items() >= {"application": "scoring", "environment": "prod"}.items()
    assert group["tags"]["owner"] == "machine-learning", "the stack file's own"
    cluster = inputs_of(recording.one(":ManagedCluster"))
    assert cluster["tags"] == group["tags"]
    assert cluster["resourceGroupName"] == group["resourceGroupName"]
