"""A stack's Kubernetes objects on the control plane, and the nodes of its pools."""

from __future__ import annotations

import copy
import itertools
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from infra.kubernetes.places import GATEWAY_NAMESPACE
from infra.planning.manifests import write_manifests
from infra.scheduling import GPU_RESOURCE
from infra.settings import Settings
from tests.cluster.api import Api, Object
from tests.cluster.made_by_controllers import made_of
from tests.cluster.nodes import Pool, pools_of
from tests.infra.plans import recording_of, settings_of
from tests.waiting import wait_for

SETTLE_SECONDS = 45
GONE_SECONDS = 45
DRAIN_SECONDS = 30
FIRST_TRY_SECONDS = 2
BACKOFF_SECONDS = 12
"""Longer than the scheduler ever waits before it tries a pod again (podMaxBackoffSeconds)."""
PLATFORMS = {"split-services": "split-platform"}
"""Stacks without a cluster of their own, and the stack that holds theirs."""
DEPLOYMENTS = "/apis/apps/v1/deployments"
AUTOSCALERS = "/apis/autoscaling/v2/horizontalpodautoscalers"
STILL_TRUE = ("Node", "Namespace")


class NeverReady(AssertionError):
    """Pods that are not ready and will not be: which, and why the scheduler says so."""


@dataclass
class DeployedStack:
    """A stack, on nodes like its own.

    Attributes:
        declared: the objects that the stack itself declares, as they are applied.
        pools: its node pools; fewer or smaller ones than declared, to see what happens.
        counts: nodes of each pool at the moment.
        grew: whether a pool has more nodes than its least.
        scale_set: number in its nodes' names, which no other stack of the session has.
    """

    name: str
    api: Api
    settings: Settings
    declared: list[Object]
    pools: tuple[Pool, ...]
    counts: Counter[str] = field(default_factory=Counter[str])
    grew: bool = False
    scale_set: int = field(default_factory=itertools.count(10_000_000).__next__)
    _changed: float = 0.0

    @property
    def objects(self) -> list[Object]:
        """With what controllers make of them."""
        return [*self.declared, *made_of(self.declared)]

    @property
    def namespaces(self) -> tuple[str, ...]:
        return tuple(each["metadata"]["name"] for each in self.of_kind("Namespace"))

    def of_kind(self, kind: str) -> list[Object]:
        return [each for each in self.objects if each["kind"] == kind]

    def one(self, kind: str, name: str) -> Object:
        """The only object of a kind with a name, outside the gateway's own namespace."""
        (found,) = (
            each
            for each in self.of_kind(kind)
            if each["metadata"]["name"] == name
            and each["metadata"].get("namespace") != GATEWAY_NAMESPACE
        )
        return found

    def apply(self) -> None:
        """Make the nodes, at each pool's least, and apply every object."""
        for pool in self.pools:
            self.grow(pool, pool.least)
        for found in self.objects:
            self.api.apply(found)

    def grow(self, pool: Pool, count: int = 1) -> None:
        """Add nodes to a pool, and wait until they take pods."""
        before = self.counts[pool.name]
        for node in pool.nodes(before + count, self.scale_set)[before:]:
            self.api.create(node)
        self.counts[pool.name] += count
        wait_for(self._nodes_are_ready, SETTLE_SECONDS, "a node does not become ready")

    def settle(self) -> None:
        """Wait until each Deployment has the pods that its autoscaler wants at least, all ready.

        Pools grow up to their bounds where pods find no room.

        Raises:
            NeverReady: pods stay pending, with the scheduler's reason.
        """
        self._changed = time.monotonic()
        wait_for(self._settled, SETTLE_SECONDS, lambda: "; ".join(self.unready()) or "no pods")

    def autoscale(self) -> list[Object]:
        """Grow the pools of pods without room to their bounds; the pods without room."""
        stuck = [pod for pod in self.pods() if is_unschedulable(pod)]
        for pool in self.pools:
            missing = pool.most - self.counts[pool.name]
            if missing > 0 and any(takes(pool, pod) for pod in stuck):
                self.grow(pool, missing)
                self.grew = True
                self._changed = time.monotonic()
        return stuck

    def pods(self, workload: str | None = None) -> list[Object]:
        """Pods of the stack's namespaces that do not end, or those of one workload."""
        found = [
            pod
            for pod in self.api.list("/api/v1/pods")
            if pod["metadata"]["namespace"] in self.namespaces and not is_ending(pod)
        ]
        if workload is None:
            return found
        return [pod for pod in found if name_of(pod) == workload]

    def nodes(self) -> dict[str, Object]:
        return {node["metadata"]["name"]: node for node in self.api.list("/api/v1/nodes")}

    def unready(self) -> list[str]:
        """Each pod that is not ready, with why."""
        return [
            f"{pod['metadata']['name']}: {why_pending(pod)}"
            for pod in self.pods()
            if not is_ready(pod)
        ]

    def drain(self, node: str) -> None:
        """As `kubectl drain --ignore-daemonsets`, and the node back after it."""
        path = f"/api/v1/nodes/{node}"
        self.api.merge(path, {"spec": {"unschedulable": True}})
        try:
            wait_for(lambda: self._evicted(node), DRAIN_SECONDS, f"{node} cannot be drained")
        finally:
            self.api.merge(path, {"spec": {"unschedulable": None}})

    def _evicted(self, node: str) -> bool:
        """Ask for every pod of a node once; True when none is left."""
        here = [p for p in self.pods() if p["spec"].get("nodeName") == node and is_movable(p)]
        for pod in here:
            self.api.evict(pod["metadata"]["namespace"], pod["metadata"]["name"])
        self.autoscale()
        return not here

    def scale(self, deployment: Object, replicas: int) -> None:
        self.api.merge(f"{self.api.path_of(deployment)}/scale", {"spec": {"replicas": replicas}})

    def promised(self, workload: str) -> int:
        """Pods that a workload's budget keeps, of those that its autoscaler wants at least."""
        (budget,) = (
            each["spec"]
            for each in self.of_kind("PodDisruptionBudget")
            if each["metadata"]["name"] == workload
        )
        return self.bounds()[workload][0] - budget["maxUnavailable"]

    def bounds(self) -> dict[str, tuple[int, int]]:
        """Fewest and most pods of each Deployment, as its only autoscaler has them."""
        found: dict[str, tuple[int, int]] = {}
        for scaler in self.of_kind("HorizontalPodAutoscaler"):
            target = scaler["spec"]["scaleTargetRef"]["name"]
            assert target not in found, f"two autoscalers for {target}"
            found[target] = (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"])
        return found

    def remove(self, *, namespaces: bool = False) -> None:
        """Delete every object, the last first, and the nodes; namespaces on demand.

        A namespace takes five seconds to go, which not every stack has to wait for.
        """
        for found in reversed(self.objects):
            if namespaces or found["kind"] not in STILL_TRUE:
                self.api.delete(self.api.path_of(found))
        wait_for(lambda: not self.pods(), GONE_SECONDS, lambda: f"pods stay: {self.pods()}")
        for node in self.nodes():
            self.api.delete(f"/api/v1/nodes/{node}")
        self.counts.clear()
        self.grew = False

    def _settled(self) -> bool:
        pods = self.pods()
        least = self.bounds()
        for deployment in self.of_kind("Deployment"):
            name = deployment["metadata"]["name"]
            if sum(is_of(pod, deployment) for pod in pods) < least.get(name, (1, 1))[0]:
                return False
        pending = [pod for pod in pods if not is_ready(pod)]
        self._give_up_on(self.autoscale())
        return bool(pods) and not pending and self._daemons_run()

    def _give_up_on(self, stuck: list[Object]) -> None:
        """
        Raises:
            NeverReady: pods without room, although the scheduler has tried again by now.
        """
        if not stuck:
            self._changed = time.monotonic()
        patience = BACKOFF_SECONDS if self.grew else FIRST_TRY_SECONDS
        if time.monotonic() > self._changed + patience:
            told = "; ".join(f"{pod['metadata']['name']}: {why_pending(pod)}" for pod in stuck)
            raise NeverReady(told)

    def _nodes_are_ready(self) -> bool:
        """Kubernetes puts a taint on a new node until it has seen it ready."""
        return not any(
            taint["key"] == "node.kubernetes.io/not-ready"
            for node in self.nodes().values()
            for taint in node["spec"].get("taints", [])
        )

    def _daemons_run(self) -> bool:
        for each in self.of_kind("DaemonSet"):
            status = self.api.get(self.api.path_of(each)).get("status", {})
            wanted = status.get("desiredNumberScheduled", 0)
            if not wanted or status.get("numberReady", 0) < wanted:
                return False
        return True


def stack_on(api: Api, name: str) -> DeployedStack:
    """A stack file or matrix file, not applied yet."""
    settings = settings_of(name)
    objects = _written(name)
    pools = pools_of(recording_of(PLATFORMS.get(name, name)))
    gpu = settings.cluster.gpu_pool
    if gpu is not None and gpu.time_slices > 1:
        pools = tuple(
            replace(pool, gpus_of_a_node=pool.gpus_of_a_node * gpu.time_slices) for pool in pools
        )
    return DeployedStack(name, api, settings, [_with_values(o) for o in objects], pools)


def _written(name: str) -> list[Object]:
    """The objects in the files that ``infra.plan --manifests`` writes, in their order."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / name
        write_manifests(recording_of(name).resources, folder, name)
        files = sorted(folder.glob("*.yaml"))
        return [yaml.load(file.read_text(), yaml.CSafeLoader) for file in files]


def _with_values(found: Object) -> Object:
    """With a value for what only a real run knows, where the API server reads it."""
    result = copy.deepcopy(found)
    if result.get("type") == "kubernetes.io/dockerconfigjson":
        result["stringData"] = dict.fromkeys(result["stringData"], '{"auths": {}}')
    return result


def name_of(pod: Object) -> str:
    """The workload that a pod belongs to."""
    return pod["metadata"]["labels"]["app.kubernetes.io/name"]


def is_of(pod: Object, deployment: Object) -> bool:
    return pod["metadata"]["namespace"] == deployment["metadata"]["namespace"] and selects(
        deployment["spec"]["selector"], pod
    )


def is_movable(pod: Object) -> bool:
    """Whether a drain takes it elsewhere; a DaemonSet's would come back at once."""
    return all(owner["kind"] != "DaemonSet" for owner in pod["metadata"].get("ownerReferences", []))


def is_ending(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def is_ready(pod: Object) -> bool:
    return _condition(pod, "Ready").get("status") == "True"


def is_unschedulable(pod: Object) -> bool:
    return _condition(pod, "PodScheduled").get("reason") == "Unschedulable"


def why_pending(pod: Object) -> str:
    """What the scheduler says of a pod that has no node."""
    return _condition(pod, "PodScheduled").get("message", pod["status"].get("phase", "new"))


def _condition(pod: Object, type_: str) -> Mapping[str, Any]:
    conditions = pod.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == type_), {})


def takes(pool: Pool, pod: Object) -> bool:
    """Whether the pool's nodes are of the kind that a pod asks for, room aside."""
    wanted = pod["spec"].get("nodeSelector", {})
    labels = {**pool.labels, "kubernetes.azure.com/mode": pool.mode.lower()}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    tolerated = {each.get("key") for each in pod["spec"].get("tolerations", [])}
    return all(taint.split("=")[0] in tolerated for taint in pool.taints)


def selects(selector: Object, pod: Object) -> bool:
    """Whether a label selector finds a pod."""
    labels = pod["metadata"].get("labels", {})
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for rule in selector.get("matchExpressions", []):
        there = rule["key"] in labels
        if rule["operator"] == "DoesNotExist" and there:
            return False
        if rule["operator"] == "Exists" and not there:
            return False
        assert rule["operator"] in ("Exists", "DoesNotExist"), rule
    return True


def gpus_asked(pods: Iterable[Object]) -> Counter[str]:
    """GPUs that the pods of each node ask for."""
    asked: Counter[str] = Counter()
    for pod in pods:
        for container in pod["spec"]["containers"]:
            gpus = container.get("resources", {}).get("requests", {}).get(GPU_RESOURCE, "0")
            asked[pod["spec"].get("nodeName", "")] += int(gpus)
    return asked
