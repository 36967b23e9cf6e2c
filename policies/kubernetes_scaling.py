"""Rules on how many pods there are, and how many may be missing."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import Severity

from policies.pods import (
    SCALABLE,
    labels_of,
    name_of,
    same_namespace,
    selects,
)
from policies.reading import UNKNOWN, is_set, number, shown, text
from policies.rule import AnyRule, Finding, Resource, ResourceRule, Stack, StackRule
from policies.sources import aks, issue, kube_linter, polaris

AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
SCALED_OBJECT = "kubernetes:keda.sh/v1alpha1:ScaledObject"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"


def _scale_targets(stack: Stack) -> Iterator[tuple[Resource, Resource | None]]:
    """Each autoscaler with the workload that it scales, None where there is none."""
    for scaler in stack.of_type(AUTOSCALER, SCALED_OBJECT):
        target = scaler.at("spec", "scaleTargetRef", "name")
        if target is UNKNOWN:
            continue
        yield scaler, next(
            (
                workload for workload in stack.of_type(*SCALABLE)
                if name_of(workload) in (target, UNKNOWN) and same_namespace(scaler, workload)
            ),
            None,
        )  # fmt: skip


def _fewest_pods(scaler: Resource) -> float | None:
    key = "minReplicas" if scaler.type == AUTOSCALER else "minReplicaCount"
    value = scaler.at("spec", key)
    return None if value is UNKNOWN else number(value) or 1


def _target_exists(stack: Stack) -> Iterator[Finding]:
    for scaler, workload in _scale_targets(stack):
        if workload is None:
            target = text(scaler.at("spec", "scaleTargetRef", "name"))
            yield Finding(scaler, f"nothing is named {target}")


def _no_replicas(stack: Stack) -> Iterator[Finding]:
    for scaler, workload in _scale_targets(stack):
        if workload and is_set(workload.at("spec", "replicas")) and not _is_live(workload):
            yield Finding(workload, f"spec.replicas is set, and {scaler.name} owns it")


def _is_live(resource: Resource) -> bool:
    """Whether the properties are the cluster's answer, which fills in what nobody declared."""
    return resource.at("metadata", "uid") is not None


def _one_scaler(stack: Stack) -> Iterator[Finding]:
    scaled: dict[str, Resource] = {}
    for scaler, workload in _scale_targets(stack):
        if workload is None or name_of(workload) is UNKNOWN:
            continue
        if other := scaled.get(workload.urn):
            yield Finding(scaler, f"{other.name} scales {workload.name} too")
        scaled[workload.urn] = scaler


def _bounds(stack: Stack) -> Iterator[Finding]:
    for scaler in stack.of_type(AUTOSCALER, SCALED_OBJECT):
        key = "maxReplicas" if scaler.type == AUTOSCALER else "maxReplicaCount"
        fewest, most = _fewest_pods(scaler), number(scaler.at("spec", key))
        if fewest is not None and most is not None and fewest > most:
            yield Finding(scaler, f"the fewest pods, {fewest:g}, are over the most, {most:g}")


def _two_pods(stack: Stack) -> Iterator[Finding]:
    for scaler in stack.of_type(AUTOSCALER, SCALED_OBJECT):
        fewest = _fewest_pods(scaler)
        if fewest is not None and fewest < 2:
            yield Finding(scaler, "one pod is enough for it")


def _budgets_of(stack: Stack, workload: Resource) -> list[Resource]:
    return [
        budget for budget in stack.of_type(BUDGET)
        if same_namespace(budget, workload)
        and selects(budget.at("spec", "selector", "matchLabels"), labels_of(workload))
    ]  # fmt: skip


def _has_budget(stack: Stack) -> Iterator[Finding]:
    for workload in stack.of_type(*SCALABLE):
        if not _budgets_of(stack, workload):
            yield Finding(workload, "no PodDisruptionBudget selects its pods")


def _budget_selects(stack: Stack) -> Iterator[Finding]:
    selected = {
        budget.urn for workload in stack.of_type(*SCALABLE)
        for budget in _budgets_of(stack, workload)
    }  # fmt: skip
    for budget in stack.of_type(BUDGET):
        if budget.urn not in selected:
            yield Finding(budget, "it selects no pod of the stack")


def _budget_leaves_room(stack: Stack) -> Iterator[Finding]:
    fewest_of = {
        workload.urn: _fewest_pods(scaler)
        for scaler, workload in _scale_targets(stack) if workload
    }  # fmt: skip
    for workload in stack.of_type(*SCALABLE):
        for budget in _budgets_of(stack, workload):
            kept = budget.at("spec", "minAvailable")
            missing = budget.at("spec", "maxUnavailable")
            fewest = fewest_of.get(workload.urn) or number(workload.at("spec", "replicas"))
            if missing in ("0", "0%") or number(missing) == 0 or kept == "100%":
                yield Finding(budget, "no pod may ever be moved: nodes cannot be drained")
            elif fewest and number(kept) is not None and (number(kept) or 0) >= fewest:
                yield Finding(budget, f"minAvailable {shown(kept)} leaves none of {fewest:g} pods")


def _unhealthy(budget: Resource) -> Iterator[str]:
    policy = budget.at("spec", "unhealthyPodEvictionPolicy")
    if policy not in ("AlwaysAllow", UNKNOWN):
        yield f"spec.unhealthyPodEvictionPolicy is {shown(policy)}"


RULES: tuple[AnyRule, ...] = (
    StackRule(
        name="autoscaler-target-exists",
        description="Every autoscaler scales a workload of the stack",
        severity=Severity.HIGH,
        remediation="Name the Deployment in scale_target_ref",
        sources=(kube_linter("dangling-horizontalpodautoscaler"),),
        check=_target_exists,
    ),
    StackRule(
        name="autoscaler-owns-replicas",
        description="Where an autoscaler sets the number of pods, nothing else does",
        severity=Severity.HIGH,
        remediation="Leave replicas out of the Deployment",
        sources=(issue("pulumi/pulumi-kubernetes", 2491),),
        check=_no_replicas,
    ),
    StackRule(
        name="autoscaler-alone",
        description="A workload has one autoscaler, not two that undo each other",
        severity=Severity.HIGH,
        remediation="Keep the HorizontalPodAutoscaler or the ScaledObject, not both",
        sources=(aks("keda-about"),),
        check=_one_scaler,
    ),
    StackRule(
        name="autoscaler-bounds",
        description="The fewest pods are not more than the most",
        severity=Severity.HIGH,
        remediation="Set scaling.min_replicas to at most scaling.max_replicas",
        sources=(polaris("hpaMaxAvailability"),),
        check=_bounds,
    ),
    StackRule(
        name="autoscaler-two-pods",
        description="In production two pods run at least",
        severity=Severity.HIGH,
        remediation="Set scaling.min_replicas to 2 or more",
        sources=(polaris("hpaMinAvailability"),),
        check=_two_pods, production_only=True,
    ),
    StackRule(
        name="workload-has-budget",
        description="In production every workload has a PodDisruptionBudget",
        severity=Severity.MEDIUM,
        remediation="Declare a PodDisruptionBudget with the workload's labels",
        sources=(kube_linter("pdb-min-available"), polaris("missingPodDisruptionBudget")),
        check=_has_budget, production_only=True,
    ),
    StackRule(
        name="budget-selects-pods",
        description="Every PodDisruptionBudget selects pods of the stack",
        severity=Severity.MEDIUM,
        remediation="Use the workload's labels in the budget's selector",
        sources=(kube_linter("mismatching-selector"),),
        check=_budget_selects,
    ),
    StackRule(
        name="budget-leaves-room",
        description="A PodDisruptionBudget lets at least one pod go, so that nodes can be drained",
        severity=Severity.HIGH,
        remediation="Set max_unavailable to 1, or min_available below the autoscaler's minimum",
        sources=(polaris("pdbMinAvailableGreaterThanHPAMinReplicas"), kube_linter("pdb-max-unavailable")),
        check=_budget_leaves_room,
    ),
    ResourceRule(
        name="budget-lets-unhealthy-go", types=(BUDGET,),
        description="Pods that are not ready never stop a node from being drained",
        severity=Severity.LOW,
        remediation='Set unhealthy_pod_eviction_policy="AlwaysAllow"',
        sources=(kube_linter("pdb-unhealthy-pod-eviction-policy"),),
        check=_unhealthy,
    ),
)  # fmt: skip
