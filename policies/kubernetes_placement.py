"""Rules on which nodes take which pods, and on GPUs."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import Severity

from policies.node_pools import POOL
from policies.pods import (
    DAEMON_SET,
    DEPLOYMENT,
    GPU_RESOURCE,
    SCALABLE,
    STATEFUL_SET,
    WORKLOADS,
    gpus_of,
    is_privileged_namespace,
    pod_of,
    selects,
)
from policies.reading import UNKNOWN, at, entries, holds_unknown, items, number, shown, text
from policies.rule import AnyRule, Finding, Resource, ResourceRule, Stack, StackRule
from policies.sources import aks, kube_linter, kubernetes, polaris

LABELS_OF_AKS = {
    "kubernetes.io/os": "linux",
    "kubernetes.io/arch": "amd64",
    "kubernetes.azure.com/mode": "user",
}
"""Those that the nodes of every user pool have by themselves."""


def _spread(workload: Resource) -> Iterator[str]:
    pod = pod_of(workload)
    constraints = at(pod, "topologySpreadConstraints")
    if at(pod, "affinity", "podAntiAffinity") is None and constraints is None:
        yield "nothing spreads the pods over nodes and zones"


def _one_gpu(workload: Resource) -> Iterator[str]:
    gpus = gpus_of(workload)
    if gpus not in (None, UNKNOWN) and number(gpus) != 1:
        yield f"the pods ask for {shown(gpus)} GPUs"


def _gpu_rollout(workload: Resource) -> Iterator[str]:
    if gpus_of(workload) is None:
        return
    surge = workload.at("spec", "strategy", "rollingUpdate", "maxSurge")
    if surge is not UNKNOWN and number(surge) != 0 and surge != "0%":
        yield f"maxSurge is {shown(surge)}: the new pod waits for the GPU that the old one holds"


def _key_and_effect(taint: str) -> tuple[str, str, str]:
    pair, _, effect = taint.partition(":")
    key, _, value = pair.partition("=")
    return key, value, effect


def _tolerates(pod: object, taint: str) -> bool:
    key, value, effect = _key_and_effect(taint)
    for toleration in items(at(pod, "tolerations")):
        if at(toleration, "effect") not in (None, "", effect):
            continue
        if at(toleration, "key") not in (key, None, ""):
            continue
        if at(toleration, "operator") == "Exists" or at(toleration, "value") == value:
            return True
    return False


def _fits(pod: object, pool: Resource) -> bool:
    """Whether a pool's nodes take a pod, by labels and taints."""
    if holds_unknown([pool.at("nodeLabels"), pool.at("nodeTaints")]):
        return True
    labels = {**LABELS_OF_AKS, **entries(pool.at("nodeLabels"))}
    if not selects(at(pod, "nodeSelector"), labels):
        return False
    return all(_tolerates(pod, text(taint)) for taint in items(pool.at("nodeTaints")))


def _pools_take_pods(stack: Stack) -> Iterator[Finding]:
    pools = stack.of_type(POOL)
    if not pools:
        return
    for workload in stack.of_type(DEPLOYMENT, STATEFUL_SET, DAEMON_SET):
        pod = pod_of(workload)
        if holds_unknown([at(pod, "tolerations"), at(pod, "nodeSelector")]):
            continue
        if not any(_fits(pod, pool) for pool in pools):
            yield Finding(workload, "no node pool has the labels and taints that its pods expect")


def _gpu_pods_only(stack: Stack) -> Iterator[Finding]:
    taints = [
        text(taint) for pool in stack.of_type(POOL) for taint in items(pool.at("nodeTaints"))
        if text(taint).startswith(GPU_RESOURCE)
    ]  # fmt: skip
    for workload in stack.of_type(*SCALABLE):
        tolerations = at(pod_of(workload), "tolerations")
        if gpus_of(workload) is not None or holds_unknown(tolerations):
            continue
        if is_privileged_namespace(workload):
            continue
        if any(_tolerates(pod_of(workload), taint) for taint in taints):
            yield Finding(workload, "its pods may take a GPU node, and use no GPU")


RULES: tuple[AnyRule, ...] = (
    ResourceRule(
        name="workload-spread", types=SCALABLE,
        description="Pods are spread over nodes and zones",
        severity=Severity.MEDIUM,
        remediation="Set topology_spread_constraints",
        sources=(polaris("topologySpreadConstraint"), kube_linter("no-anti-affinity")),
        check=_spread,
    ),
    ResourceRule(
        name="workload-one-gpu", types=WORKLOADS,
        description="A pod has exactly one GPU, or none",
        severity=Severity.MEDIUM,
        remediation=f"Set limits {GPU_RESOURCE}: 1",
        sources=(aks("use-nvidia-gpu"),),
        check=_one_gpu,
    ),
    ResourceRule(
        name="gpu-rollout-moves", types=(DEPLOYMENT,),
        description="A rollout of pods with GPUs does not wait for the GPU that the old pod holds",
        severity=Severity.HIGH,
        remediation="Set max_surge=0 and max_unavailable=1",
        sources=(kubernetes("rolling update", "concepts/workloads/controllers/deployment"),),
        check=_gpu_rollout,
    ),
    StackRule(
        name="pool-takes-pods",
        description="Some node pool has the labels and taints that a workload's pods expect",
        severity=Severity.HIGH,
        remediation="Use the same constants for the pool's labels and taints as for the pods",
        sources=(
            kubernetes("taints and tolerations",
                       "concepts/scheduling-eviction/taint-and-toleration"),
        ),
        check=_pools_take_pods,
    ),
    StackRule(
        name="gpu-nodes-for-gpu-pods",
        description="Pods that use no GPU stay off GPU nodes",
        severity=Severity.MEDIUM,
        remediation="Remove the toleration",
        sources=(aks("use-nvidia-gpu"),),
        check=_gpu_pods_only,
    ),
)  # fmt: skip
