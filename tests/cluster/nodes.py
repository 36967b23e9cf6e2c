"""Nodes as AKS would make them of the pools that a stack declares.

What the VM size offers is in infra/vm_sizes.py. Labels and taints that AKS adds by itself are from
learn.microsoft.com/azure/aks (use-labels, use-system-pools, spot-node-pool).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from infra.capacity import SYSTEM_MIB, SYSTEM_MILLICORES
from infra.recording import Recording
from infra.scheduling import GPU_RESOURCE
from infra.vm_sizes import MIG_INSTANCES, VM_SIZES
from tests.cluster.api import Object

ZONE = "topology.kubernetes.io/zone"
POOL = "kubernetes.azure.com/agentpool"
MODE = "kubernetes.azure.com/mode"
DISK_LEFT = 0.75
"""Of the OS disk, what is not the image's or kept for the eviction of pods."""


@dataclass(frozen=True)
class Pool:
    """A node pool, as the stack declares it to Azure."""

    name: str
    mode: str
    vm_size: str
    least: int
    most: int
    max_pods: int
    disk_gib: int
    zones: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    taints: tuple[str, ...] = ()
    gpus_of_a_node: int = 0

    def nodes(self, count: int, scale_set: int) -> list[Object]:
        """The pool's first nodes, spread over its zones.

        Args:
            scale_set: part of their names, as Azure chooses it.
        """
        return [self._node(place, scale_set) for place in range(count)]

    def _node(self, place: int, scale_set: int) -> Object:
        size = VM_SIZES[self.vm_size]
        name = f"aks-{self.name}-{scale_set:08d}-vmss{place:06d}"
        # Without zones AKS writes the fault domain, a number, into the same label.
        zone = f"westeurope-{self.zones[place % len(self.zones)]}" if self.zones else "0"
        room = {
            # Without what the agents of every node ask for, which are not here.
            "cpu": f"{size.allocatable_millicores() - SYSTEM_MILLICORES}m",
            "memory": f"{size.allocatable_mib(self.max_pods) - SYSTEM_MIB}Mi",
            "ephemeral-storage": f"{int(self.disk_gib * DISK_LEFT)}Gi",
            "pods": str(self.max_pods),
            **({GPU_RESOURCE: str(self.gpus_of_a_node)} if self.gpus_of_a_node else {}),
        }
        labels = {
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "node.kubernetes.io/instance-type": self.vm_size,
            ZONE: zone,
            POOL: self.name,
            MODE: self.mode.lower(),
            **self.labels,
        }
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels},
            "spec": {"taints": [_taint(each) for each in self.taints]},
            "status": {"capacity": room, "allocatable": room},
        }


def pools_of(recording: Recording) -> tuple[Pool, ...]:
    """Every pool of the stack's cluster, the system pool among them."""
    return tuple(_pool(inputs) for inputs in _declared(recording))


def _declared(recording: Recording) -> Iterator[Mapping[str, Any]]:
    for cluster in recording.of_type(":ManagedCluster"):
        yield from cast("list[Mapping[str, Any]]", cluster.inputs["agentPoolProfiles"])
    for pool in recording.of_type(":AgentPool"):
        yield {**pool.inputs, "name": pool.inputs["agentPoolName"]}


def _pool(inputs: Mapping[str, Any]) -> Pool:
    least, most = int(inputs["minCount"]), int(inputs["maxCount"])
    return Pool(
        name=inputs["name"],
        mode=inputs["mode"],
        vm_size=inputs["vmSize"],
        least=least,
        most=most,
        max_pods=int(inputs["maxPods"]),
        disk_gib=int(inputs["osDiskSizeGB"]),
        zones=tuple(inputs.get("availabilityZones") or ()),
        labels=inputs.get("nodeLabels") or {},
        taints=tuple(inputs.get("nodeTaints") or ()),
        gpus_of_a_node=VM_SIZES[inputs["vmSize"]].gpus
        * MIG_INSTANCES.get(inputs.get("gpuInstanceProfile", ""), 1),
    )


def _taint(written: str) -> dict[str, str]:
    """``key=value:effect`` as a node has it."""
    rest, effect = written.rsplit(":", 1)
    key, _, value = rest.partition("=")
    return {"key": key, "value": value, "effect": effect}
