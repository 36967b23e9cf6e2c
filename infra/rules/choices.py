"""What rules iterate over: the pools and workloads that a stack has."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.sections.node_pools import PoolSettings
    from infra.sections.workloads import WorkloadSettings
    from infra.settings import Settings


def pools_of(settings: Settings) -> list[tuple[str, PoolSettings]]:
    """The node pools, by their keys below ``cluster``."""
    cluster = settings.cluster
    pools: list[tuple[str, PoolSettings]] = [
        ("system_pool", cluster.system_pool), ("cpu_pool", cluster.cpu_pool),
    ]  # fmt: skip
    return pools if cluster.gpu_pool is None else [*pools, ("gpu_pool", cluster.gpu_pool)]


def workloads_of(settings: Settings) -> list[tuple[str, WorkloadSettings]]:
    """The workloads that are switched on, by their keys."""
    workloads: list[tuple[str, WorkloadSettings]] = [
        ("faq", settings.faq), ("resnet", settings.resnet), ("web", settings.web),
    ]  # fmt: skip
    return [(name, workload) for name, workload in workloads if workload.enabled]
