"""The node pools that a program declares, with what they take of Azure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from infra.planning.inputs import number_at, text_at, texts_at
from infra.planning.monitor import Recorded
from infra.recording import Recording

CLUSTER = "azure-native:containerservice:ManagedCluster"
AGENT_POOL = "azure-native:containerservice:AgentPool"


@dataclass(frozen=True)
class NodePool:
    """One pool.

    Attributes:
        name: as AKS knows it.
        vm_size: of its nodes.
        fewest: nodes that the autoscaler leaves.
        most: nodes that it adds up to.
        surge: nodes that an upgrade adds to a full pool.
        zones: in which its nodes are; empty for none.
        spot: whether Azure may take its nodes away.
        os_disk_gb: ephemeral OS disk of a node.
    """

    name: str
    vm_size: str
    fewest: int
    most: int
    surge: int
    zones: tuple[str, ...]
    spot: bool
    os_disk_gb: int


def node_pools(recording: Recording) -> tuple[NodePool, ...]:
    """All pools of the stack's cluster: the one inside it, and those beside it."""
    inline = [
        _pool(cluster, "agentPoolProfiles", place)
        for cluster in recording.of_type(CLUSTER)
        for place in range(_length(cluster))
    ]
    return (*inline, *(_pool(pool) for pool in recording.of_type(AGENT_POOL)))


def _length(cluster: Recorded) -> int:
    profiles = cluster.inputs.get("agentPoolProfiles")
    return len(profiles) if isinstance(profiles, list) else 0


def _pool(resource: Recorded, *at: str | int) -> NodePool:
    most = number_at(resource, *at, "maxCount")
    surge = text_at(resource, *at, "upgradeSettings", "maxSurge")
    return NodePool(
        name=text_at(resource, *at, "name") or text_at(resource, *at, "agentPoolName") or "",
        vm_size=text_at(resource, *at, "vmSize") or "",
        fewest=number_at(resource, *at, "minCount"),
        most=most,
        surge=_surge_nodes(surge, most),
        zones=texts_at(resource, *at, "availabilityZones"),
        spot=text_at(resource, *at, "scaleSetPriority") == "Spot",
        os_disk_gb=number_at(resource, *at, "osDiskSizeGB"),
    )


def _surge_nodes(surge: str | None, nodes: int) -> int:
    """A number of nodes, or a percentage of them, rounded up.

    Source: learn.microsoft.com/azure/aks/upgrade-aks-cluster (node surge upgrades). Spot pools have
    none.
    """
    if surge is None:
        return 0
    if surge.endswith("%"):
        return math.ceil(nodes * int(surge.removesuffix("%")) / 100)
    return int(surge)
