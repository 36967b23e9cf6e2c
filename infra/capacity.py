"""Whether pods fit on the nodes that their pool declares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from infra.vm_sizes import MIG_INSTANCES, VM_SIZES

if TYPE_CHECKING:
    from infra.sections.node_pools import GpuPoolSettings
    from infra.sections.workloads import WorkloadSettings
    from infra.settings import Settings

SYSTEM_MILLICORES = 400
SYSTEM_MIB = 900
"""What the agents that run on every node ask for (Cilium, CSI, monitoring, Defender)."""


@dataclass(frozen=True)
class DoesNotFit:
    """Why a pod does not fit: the key below the workload, what is wrong, what is allowed."""

    key: str
    wrong: str
    allowed: str


def pod_fits(
    settings: Settings, pool_name: Literal["cpu_pool", "gpu_pool"], workload: WorkloadSettings
) -> DoesNotFit | None:
    """Why one pod of the workload does not fit on an empty node of the pool; None if it does."""
    pool = settings.cluster.cpu_pool if pool_name == "cpu_pool" else settings.cluster.gpu_pool
    if pool is None:
        return None
    size = VM_SIZES[pool.vm_size]
    millicores = size.allocatable_millicores() - SYSTEM_MILLICORES
    mebibytes = size.allocatable_mib(pool.max_pods) - SYSTEM_MIB
    if workload.cpu_millicores > millicores:
        return DoesNotFit(
            "cpu_millicores",
            f"{workload.cpu_millicores} fits on no node of {pool.vm_size}",
            f"at most {millicores}, or a larger cluster.{pool_name}.vm_size",
        )
    if workload.memory_mib > mebibytes:
        return DoesNotFit(
            "memory_mib",
            f"{workload.memory_mib} fits on no node of {pool.vm_size}",
            f"at most {mebibytes}, or a larger cluster.{pool_name}.vm_size",
        )
    return None


def gpus_per_node(pool: GpuPoolSettings) -> int:
    """GPUs that a node offers to pods: whole ones, instances of them, or turns on them."""
    gpus = VM_SIZES[pool.vm_size].gpus
    if pool.mig_profile is not None:
        return gpus * MIG_INSTANCES[pool.mig_profile]
    return gpus * pool.time_slices


def room_for_pods(settings: Settings) -> int:
    """Most pods of one GPU that the full GPU pool holds."""
    pool = settings.cluster.gpu_pool
    return 0 if pool is None else pool.max_nodes * gpus_per_node(pool)
