"""A pod is a pod: what rules say of it holds in whatever kind of workload it is declared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from infra.recording import Recorded
from policies.offline import violations
from policies.pack import RULES
from policies.pods import DEPLOYMENT, WORKLOADS
from policies.rule import ResourceRule
from tests.policies.good_stack import GOOD_STACK
from tests.policies.kubernetes_cases import CASES
from tests.policies.spoiling import Case

OF_PODS = {
    rule.name: rule for rule in RULES if isinstance(rule, ResourceRule) and rule.types == WORKLOADS
}
KINDS = (
    "kubernetes:apps/v1:ReplicaSet",
    "kubernetes:apps/v1:StatefulSet",
    "kubernetes:batch/v1:CronJob",
    "kubernetes:batch/v1:Job",
    "kubernetes:core/v1:Pod",
    "kubernetes:core/v1:ReplicationController",
)

every_kind = pytest.mark.parametrize("kind", KINDS)


def as_kind(deployment: Recorded, kind: str) -> Recorded:
    """The same pods, declared as another kind of workload."""
    inputs: Any = deployment.inputs
    template = inputs["spec"]["template"]
    if kind.endswith(":Pod"):
        metadata = {**inputs["metadata"], **template["metadata"]}
        return replace(
            deployment, type=kind, inputs={"metadata": metadata, "spec": template["spec"]}
        )
    spec: dict[str, Any] = {"template": template}
    if kind.endswith(":CronJob"):
        spec = {"schedule": "@daily", "jobTemplate": {"spec": spec}}
    return replace(deployment, type=kind, inputs={"metadata": inputs["metadata"], "spec": spec})


def pods_as(kind: str, resources: list[Recorded] | tuple[Recorded, ...]) -> list[Recorded]:
    return [as_kind(one, kind) for one in resources if one.type == DEPLOYMENT]


@every_kind
def test_good_pods_pass_in_every_kind_of_workload(kind: str) -> None:
    policies = [rule.policy() for rule in OF_PODS.values()]
    assert violations(pods_as(kind, GOOD_STACK), policies) == []


@every_kind
@pytest.mark.parametrize("case", [case for case in CASES if case.policy in OF_PODS], ids=str)
def test_a_spoilt_pod_is_reported_in_every_kind_of_workload(case: Case, kind: str) -> None:
    spoilt = pods_as(kind, case.spoilt(GOOD_STACK))
    assert violations(spoilt, [OF_PODS[case.policy].policy()])


def test_every_rule_of_pods_is_tried() -> None:
    assert set(OF_PODS) <= {case.policy for case in CASES}
    assert "container-resources" in OF_PODS
