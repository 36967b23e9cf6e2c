"""Pods as rules see them, in whatever kind of workload they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from policies.reading import UNKNOWN, at, entries, items, may_equal, text
from policies.rule import Resource, ResourceCheck

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
DAEMON_SET = "kubernetes:apps/v1:DaemonSet"
JOB = "kubernetes:batch/v1:Job"
CRON_JOB = "kubernetes:batch/v1:CronJob"
POD = "kubernetes:core/v1:Pod"
REPLICA_SET = "kubernetes:apps/v1:ReplicaSet"
REPLICATION_CONTROLLER = "kubernetes:core/v1:ReplicationController"
SCALABLE = (DEPLOYMENT, STATEFUL_SET)
WORKLOADS = (
    DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB, CRON_JOB, POD, REPLICA_SET, REPLICATION_CONTROLLER,
)  # fmt: skip
OTHER_TEMPLATES = {CRON_JOB: ("spec", "jobTemplate", "spec", "template"), POD: ()}
"""Where a workload declares its pods, if not in `spec.template`: a pod is its own."""
PRIVILEGED_NAMESPACES = ("gpu-resources", "kube-system")
"""Where pods need the nodes' devices; their namespaces say so by Pod Security `privileged`."""
GPU_RESOURCE = "nvidia.com/gpu"


@dataclass(frozen=True)
class Container:
    """One container of a pod.

    Attributes:
        name: its name.
        properties: its declaration.
        pod: the declaration of its pod, some of which it inherits.
        starts_pod: whether it runs before the others and ends.
    """

    name: str
    properties: object
    pod: object
    starts_pod: bool

    def at(self, *path: str) -> object:
        """What lies at a path of the container's declaration."""
        return at(self.properties, *path)

    def security(self, key: str) -> object:
        """A setting of the security context: the container's own, else the pod's."""
        own = self.at("securityContext", key)
        return at(self.pod, "securityContext", key) if own is None else own


def pod_of(workload: Resource) -> object:
    """The declaration of a workload's pods."""
    return workload.at(*_template_of(workload), "spec")


def labels_of(workload: Resource) -> object:
    """The labels of a workload's pods."""
    return workload.at(*_template_of(workload), "metadata", "labels")


def _template_of(workload: Resource) -> tuple[str, ...]:
    return OTHER_TEMPLATES.get(workload.type, ("spec", "template"))


def namespace_of(resource: Resource) -> object:
    """The namespace of a Kubernetes object."""
    return resource.at("metadata", "namespace")


def name_of(resource: Resource) -> object:
    """The name of a Kubernetes object."""
    return resource.at("metadata", "name")


def containers_of(workload: Resource) -> list[Container]:
    """All containers of a workload's pods."""
    pod = pod_of(workload)
    return [
        Container(text(at(container, "name")), container, pod, kind == "initContainers")
        for kind in ("containers", "initContainers")
        for container in items(at(pod, kind))
    ]


def same_namespace(one: Resource, other: Resource) -> bool:
    """Whether two objects may be in one namespace, as far as it is known."""
    return may_equal(namespace_of(one), namespace_of(other))


def selects(selector: object, labels: object) -> bool:
    """Whether a map of labels matches; one that is not known yet matches."""
    if selector is UNKNOWN or labels is UNKNOWN:
        return True
    wanted, there = entries(selector), entries(labels)
    return all(may_equal(there.get(key), value) for key, value in wanted.items())


def gpus_of(workload: Resource) -> object:
    """The GPUs that a workload's pods ask for; None for none."""
    if at(pod_of(workload), "containers") is UNKNOWN:
        return UNKNOWN
    for container in containers_of(workload):
        gpus = container.at("resources", "limits", GPU_RESOURCE)
        if gpus is not None:
            return gpus
    return None


def is_privileged_namespace(workload: Resource) -> bool:
    """Whether the workload's namespace is, or may be, for pods that need the nodes' devices."""
    return namespace_of(workload) in (*PRIVILEGED_NAMESPACES, UNKNOWN)


def each_container(setting: str, *allowed: object) -> ResourceCheck:
    """A setting of every container's security context has one of the values."""

    def check(workload: Resource) -> Iterator[str]:
        for container in containers_of(workload):
            value = container.security(setting)
            if value is not UNKNOWN and value not in allowed:
                yield f"container {container.name}: securityContext.{setting} is {value}"

    return check


def unless_privileged(check: ResourceCheck) -> ResourceCheck:
    """The check of workloads outside the privileged namespaces."""

    def of_others(workload: Resource) -> Iterator[str]:
        if not is_privileged_namespace(workload):
            yield from check(workload)

    return of_others
