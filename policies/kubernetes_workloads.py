"""Rules on how workloads start, stop and find their own pods."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import Severity

from policies.pods import (
    DAEMON_SET,
    DEPLOYMENT,
    SCALABLE,
    STATEFUL_SET,
    WORKLOADS,
    containers_of,
    labels_of,
    pod_of,
    selects,
)
from policies.reading import UNKNOWN, at, number, shown
from policies.rule import AnyRule, Resource, ResourceRule
from policies.sources import checkov, kube_linter, kubernetes

NAME_LABEL = "app.kubernetes.io/name"


def _resources(workload: Resource) -> Iterator[str]:
    wanted = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))
    for container in containers_of(workload):
        for kind, resource in wanted:
            if container.at("resources", kind, resource) is None:
                yield f"container {container.name}: resources.{kind}.{resource} is not set"


def _probes(workload: Resource) -> Iterator[str]:
    for container in containers_of(workload):
        for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
            if not container.starts_pod and container.at(probe) is None:
                yield f"container {container.name} has no {probe}"


def _labels(workload: Resource) -> Iterator[str]:
    labels = labels_of(workload)
    if labels is not UNKNOWN and at(labels, NAME_LABEL) is None:
        yield f"the pods have no label {NAME_LABEL}"


def _own_pods(workload: Resource) -> Iterator[str]:
    selector = workload.at("spec", "selector", "matchLabels")
    if selector is None or not selects(selector, labels_of(workload)):
        yield "spec.selector does not match the labels of the workload's own pods"


def _stop(workload: Resource) -> Iterator[str]:
    pod = pod_of(workload)
    grace = number(at(pod, "terminationGracePeriodSeconds"))
    if at(pod, "terminationGracePeriodSeconds") is UNKNOWN:
        return
    for container in containers_of(workload):
        hook = number(container.at("lifecycle", "preStop", "sleep", "seconds")) or 0
        if grace is None or grace <= hook:
            yield f"terminationGracePeriodSeconds is {shown(grace)}, and preStop takes {hook:g}"


RULES: tuple[AnyRule, ...] = (
    ResourceRule(
        name="container-resources", types=WORKLOADS,
        description="Containers say what they need, and how much memory they may take",
        severity=Severity.MEDIUM,
        remediation="Set resources with requests of cpu and memory, and a limit of memory",
        sources=(checkov("CKV_K8S_10"), checkov("CKV_K8S_12"), checkov("CKV_K8S_13")),
        check=_resources,
    ),
    ResourceRule(
        name="container-probes", types=SCALABLE,
        description="Kubernetes can tell whether a container started, lives and is ready",
        severity=Severity.MEDIUM,
        remediation="Set startup_probe, liveness_probe and readiness_probe",
        sources=(checkov("CKV_K8S_8"), checkov("CKV_K8S_9"), kube_linter("no-liveness-probe")),
        check=_probes,
    ),
    ResourceRule(
        name="workload-labelled", types=WORKLOADS,
        description="Pods carry the label by which everything else finds them",
        severity=Severity.LOW,
        remediation=f"Add {NAME_LABEL} to the pods' labels",
        sources=(
            kubernetes("common labels", "concepts/overview/working-with-objects/common-labels"),
        ),
        check=_labels,
    ),
    ResourceRule(
        name="workload-selects-own-pods", types=(DEPLOYMENT, STATEFUL_SET, DAEMON_SET),
        description="A workload's selector matches its own pods",
        severity=Severity.HIGH,
        remediation="Use the same labels in spec.selector and in the template",
        sources=(kube_linter("mismatching-selector"),),
        check=_own_pods,
    ),
    ResourceRule(
        name="workload-stops-in-time", types=SCALABLE,
        description="A pod has time to finish what is under way",
        severity=Severity.MEDIUM,
        remediation="Set termination_grace_period_seconds above the preStop hook's time",
        sources=(kubernetes("pod termination", "concepts/workloads/pods/pod-lifecycle"),),
        check=_stop,
    ),
)  # fmt: skip
