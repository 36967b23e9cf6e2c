"""What pods, pools, autoscalers and budgets must agree on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.capacity import SYSTEM_MIB, SYSTEM_MILLICORES
from infra.kubernetes.gpu import IMAGE as DEVICE_PLUGIN
from infra.recording import Recorded, Recording
from infra.scheduling import GPU_RESOURCE, POOL_LABEL
from infra.vm_sizes import VM_SIZES
from tests.infra.invariants.looking import (
    at,
    key,
    kind,
    mebibytes,
    millicores,
    workloads,
)

DIGEST = re.compile(r"[^@<>]+@sha256:[0-9a-f]{64}|<output of [^<>]+\.repoDigest>")
WITHOUT_DIGEST = {DEVICE_PLUGIN}
"""NVIDIA's registry publishes no digest beside the tag that AKS' documentation names."""


def every_selector_finds_its_own_pods(recording: Recording) -> Iterator[str]:
    for workload in workloads(recording):
        wanted = at(workload.resource.inputs, "spec.selector.matchLabels")
        if not wanted or not wanted.items() <= workload.labels.items():
            yield f"{workload.name} selects {wanted}, its pods have {dict(workload.labels)}"


def every_pod_runs_where_a_pool_is(recording: Recording) -> Iterator[str]:
    """Where the stack has no pools of its own, the platform's stack says so of itself."""
    pools = _pools(recording)
    for workload in workloads(recording, "Deployment"):
        wanted = workload.pod.get("nodeSelector", {}).get(POOL_LABEL)
        if pools and wanted and not _pools_of(pools, wanted):
            yield f"{workload.name} waits for a node of a {wanted} pool, which is not declared"


def every_pod_tolerates_its_pools_taints(recording: Recording) -> Iterator[str]:
    for workload in workloads(recording, "Deployment"):
        wanted = workload.pod.get("nodeSelector", {}).get(POOL_LABEL)
        for pool in _pools_of(_pools(recording), wanted):
            for taint in pool.inputs.get("nodeTaints") or []:
                if not any(_tolerates(t, str(taint)) for t in workload.pod.get("tolerations", ())):
                    yield f"{workload.name} does not tolerate {taint} of {pool.name}"


def gpus_are_asked_for_on_gpu_pools_alone(recording: Recording) -> Iterator[str]:
    for workload in workloads(recording, "Deployment"):
        on_gpu_pool = workload.pod.get("nodeSelector", {}).get(POOL_LABEL) == "gpu"
        limits = [at(container, "resources.limits") or {} for container in workload.containers]
        gpus = sum(int(limit.get(GPU_RESOURCE, 0)) for limit in limits)
        if on_gpu_pool != (gpus > 0):
            yield f"{workload.name} asks for {gpus} GPUs, on a GPU pool: {on_gpu_pool}"
        if gpus > 1:
            yield f"{workload.name} asks for {gpus} GPUs a pod"


def every_request_fits_on_a_node(recording: Recording) -> Iterator[str]:
    for workload in workloads(recording, "Deployment"):
        wanted = workload.pod.get("nodeSelector", {}).get(POOL_LABEL)
        for pool in _pools_of(_pools(recording), wanted):
            size = VM_SIZES[str(pool.inputs["vmSize"])]
            pods = int(str(pool.inputs["maxPods"]))
            requests = [at(c, "resources.requests") for c in workload.pod["containers"]]
            cpu = sum(millicores(request["cpu"]) for request in requests)
            memory = sum(mebibytes(request["memory"]) for request in requests)
            if cpu > size.allocatable_millicores() - SYSTEM_MILLICORES:
                yield f"{workload.name} asks for {cpu} m, more than {pool.name} has"
            if memory > size.allocatable_mib(pods) - SYSTEM_MIB:
                yield f"{workload.name} asks for {memory} MiB, more than {pool.name} has"


def every_autoscaled_deployment_leaves_its_replicas_alone(recording: Recording) -> Iterator[str]:
    for scaler, name in _scalers(recording):
        found = [d for d in kind(recording, "Deployment") if key(d) == name]
        if len(found) != 1:
            yield f"{scaler.name} scales {name}, which is not there"
        elif at(found[0].inputs, "spec.replicas") is not None:
            yield f"{found[0].name} and {scaler.name} both say how many pods there are"


def every_deployment_is_scaled_once(recording: Recording) -> Iterator[str]:
    scaled = [name for _, name in _scalers(recording)]
    for deployment in kind(recording, "Deployment"):
        fixed = at(deployment.inputs, "spec.replicas") is not None
        if scaled.count(key(deployment)) != (0 if fixed else 1):
            yield f"{deployment.name} has {scaled.count(key(deployment))} autoscalers"


def every_budget_leaves_room_for_a_drain(recording: Recording) -> Iterator[str]:
    fewest = {name: _fewest(scaler) for scaler, name in _scalers(recording)}
    for workload in workloads(recording, "Deployment"):
        budgets = [
            budget
            for budget in kind(recording, "PodDisruptionBudget")
            if workload.is_chosen_by(key(budget)[0], at(budget.inputs, "spec.selector.matchLabels"))
        ]
        if len(budgets) != 1:
            yield f"{workload.name} has {len(budgets)} disruption budgets"
        pods = fewest.get(key(workload.resource), 1)
        for budget in budgets:
            wanted = at(budget.inputs, "spec.minAvailable")
            if wanted is not None and int(wanted) >= pods:
                yield f"{budget.name} asks for {wanted} of {pods} pods: no node can be drained"
            missing = at(budget.inputs, "spec.maxUnavailable")
            if missing is not None and not 1 <= int(missing) <= max(pods - 1, 1):
                yield f"{budget.name} lets {missing} of {pods} pods go at once"


def every_image_is_taken_by_digest(recording: Recording) -> Iterator[str]:
    for workload in workloads(recording):
        for container in workload.containers:
            image = str(container["image"])
            if not DIGEST.fullmatch(image) and image not in WITHOUT_DIGEST:
                yield f"{workload.name} runs {image}"


def _pools(recording: Recording) -> list[Recorded]:
    return list(recording.of_type("containerservice:AgentPool"))


def _pools_of(pools: list[Recorded], wanted: str | None) -> list[Recorded]:
    return [pool for pool in pools if at(pool.inputs, "nodeLabels").get(POOL_LABEL) == wanted]


def _tolerates(toleration: Mapping[str, Any], taint: str) -> bool:
    matched = re.fullmatch(r"([^=:]+)(?:=([^:]*))?:(\w+)", taint)
    assert matched is not None, taint
    name, value, effect = matched.groups()
    if toleration.get("key") != name or toleration.get("effect", effect) != effect:
        return False
    return toleration.get("operator") == "Exists" or toleration.get("value") == (value or "")


def _scalers(recording: Recording) -> list[tuple[Recorded, tuple[str, str]]]:
    return [
        (scaler, (key(scaler)[0], at(scaler.inputs, "spec.scaleTargetRef.name")))
        for name in ("HorizontalPodAutoscaler", "ScaledObject")
        for scaler in kind(recording, name)
    ]


def _fewest(scaler: Recorded) -> int:
    spec = at(scaler.inputs, "spec")
    return int(spec.get("minReplicas") or spec.get("minReplicaCount") or 1)


INVARIANTS = (
    every_selector_finds_its_own_pods,
    every_pod_runs_where_a_pool_is,
    every_pod_tolerates_its_pools_taints,
    gpus_are_asked_for_on_gpu_pools_alone,
    every_request_fits_on_a_node,
    every_autoscaled_deployment_leaves_its_replicas_alone,
    every_deployment_is_scaled_once,
    every_budget_leaves_room_for_a_drain,
    every_image_is_taken_by_digest,
)
