"""Whether pods fit on the nodes that their pool declares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from infra.scheduling import PROXY_MEBIBYTES, PROXY_MILLICORES
from infra.vm_sizes import MIG_INSTANCES, VM_SIZES

if TYPE_CHECKING:
    from infra.sections.node_pools import GpuPoolSettings, PoolSettings
    from infra.sections.workloads import WorkloadSettings
    from infra.settings import Settings

SYSTEM_MILLICORES = 400
SYSTEM_MIB = 900
SYSTEM_PODS = 15
"""What the agents that run on every node ask for (Cilium, CSI, monitoring, Defender)."""


@dataclass(frozen=True)
class DoesNotFit:
    """Why a pod does not fit: the key below the workload, what is wrong, what is allowed."""

    key: str
    wrong: str
    allowed: str


@dataclass(frozen=True)
class Room:
    """What a node has to give, or what a pod asks for."""

    millicores: int
    mebibytes: int
    pods: int = 1

    def holds(self, pod: Room) -> bool:
        """Whether there is room for a pod."""
        return (
            pod.millicores <= self.millicores
            and pod.mebibytes <= self.mebibytes
            and pod.pods <= self.pods
        )

    def less(self, pod: Room) -> Room:
        """What a pod leaves."""
        return Room(
            self.millicores - pod.millicores,
            self.mebibytes - pod.mebibytes,
            self.pods - pod.pods,
        )


def empty_node(pool: PoolSettings) -> Room:
    """What a node of the pool has to give to pods of the stack."""
    size = VM_SIZES[pool.vm_size]
    return Room(
        size.allocatable_millicores() - SYSTEM_MILLICORES,
        size.allocatable_mib(pool.max_pods) - SYSTEM_MIB,
        pool.max_pods - SYSTEM_PODS,
    )


def pod_fits(
    settings: Settings, pool_name: Literal["cpu_pool", "gpu_pool"], workload: WorkloadSettings
) -> DoesNotFit | None:
    """Why one pod of the workload does not fit on an empty node of the pool; None if it does."""
    pool = settings.cluster.cpu_pool if pool_name == "cpu_pool" else settings.cluster.gpu_pool
    if pool is None:
        return None
    node = empty_node(pool)
    if workload.cpu_millicores > node.millicores:
        return DoesNotFit(
            "cpu_millicores",
            f"{workload.cpu_millicores} fits on no node of {pool.vm_size}",
            f"at most {node.millicores}, or a larger cluster.{pool_name}.vm_size",
        )
    if workload.memory_mib > node.mebibytes:
        return DoesNotFit(
            "memory_mib",
            f"{workload.memory_mib} fits on no node of {pool.vm_size}",
            f"at most {node.mebibytes}, or a larger cluster.{pool_name}.vm_size",
        )
    return None


def cpu_nodes_for_most_pods(settings: Settings, workloads: list[WorkloadSettings]) -> int:
    """Nodes of the CPU pool that hold the workloads and the gateway, all at their most replicas.

    Each pod goes to the first node with room for it, largest pods first; every pod fits on an empty
    node. Kubernetes' scheduler, which sees them one after another, can hardly do better.
    """
    pods = [Room(PROXY_MILLICORES, PROXY_MEBIBYTES)] * settings.gateway.max_replicas
    for workload in workloads:
        pod = Room(workload.cpu_millicores, workload.memory_mib)
        pods += [pod] * workload.scaling.max_replicas
    empty = empty_node(settings.cluster.cpu_pool)
    nodes: list[Room] = []
    for pod in sorted(pods, key=lambda pod: _share(pod, empty), reverse=True):
        first = next((place for place, left in enumerate(nodes) if left.holds(pod)), None)
        if first is None:
            nodes.append(empty.less(pod))
        else:
            nodes[first] = nodes[first].less(pod)
    return len(nodes)


def _share(pod: Room, node: Room) -> float:
    """The larger part that a pod takes of a node's CPU or memory."""
    return max(pod.millicores / node.millicores, pod.mebibytes / node.mebibytes)


def gpus_per_node(pool: GpuPoolSettings) -> int:
    """GPUs that a node offers to pods: whole ones, instances of them, or turns on them."""
    gpus = VM_SIZES[pool.vm_size].gpus
    if pool.mig_profile is not None:
        return gpus * MIG_INSTANCES[pool.mig_profile]
    return gpus * pool.time_slices


def gpu_pods_per_node(pool: GpuPoolSettings, workload: WorkloadSettings) -> int:
    """Most pods of one GPU each that a node holds, by its GPUs, CPU and memory."""
    node = empty_node(pool)
    return min(
        gpus_per_node(pool),
        node.millicores // workload.cpu_millicores,
        node.mebibytes // workload.memory_mib,
        node.pods,
    )
