"""The pools of nodes on which the services run."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerservice as aks

from infra.azure.node_pool_profiles import local_dns, upgrade_settings, upgraded_by_azure
from infra.azure.place import Place
from infra.scheduling import (
    GPU_TAINT,
    POOL_LABEL,
    SPOT_TAINT,
    SPOT_TAINT_KEY,
    SPOT_TAINT_VALUE,
    PoolKind,
)
from infra.sections.cluster import ClusterSettings
from infra.sections.node_pools import CpuPoolSettings, GpuPoolSettings


@dataclass(frozen=True)
class NodePoolsArgs:
    """What :class:`NodePools` needs.

    Attributes:
        place: where they go.
        settings: the cluster's settings.
        cluster_name: the cluster that gets them.
        nodes_subnet_id: the subnet of their nodes.
    """

    place: Place
    settings: ClusterSettings
    cluster_name: pulumi.Input[str]
    nodes_subnet_id: pulumi.Input[str]


class NodePools(pulumi.ComponentResource):
    """The CPU pool, and the GPU pool where the settings have one.

    A pool is known to Pulumi by its own name: with a new name in the settings the new pool is
    there, and takes pods, before the old one is drained and goes. What AKS cannot change in a pool
    that exists (VM size, disk, zones, spot, MIG) replaces it under the same name, the old one first:
    the services on it stop for some ten minutes. Change the name together with these.

    Attributes:
        names: the pools' names in AKS.
        pools: the pools, for what must wait for them.
    """

    names: list[str]
    pools: list[aks.AgentPool]

    def __init__(
        self, name: str, args: NodePoolsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:NodePools", name, None, opts)
        settings = args.settings
        self.pools = [self._pool(name, args, "cpu", settings.cpu_pool)]
        self.names = [settings.cpu_pool.name]
        if settings.gpu_pool is not None:
            self.pools.append(self._pool(name, args, "gpu", settings.gpu_pool))
            self.names.append(settings.gpu_pool.name)
        self.register_outputs({"names": self.names})

    def _pool(
        self,
        name: str,
        args: NodePoolsArgs,
        kind: PoolKind,
        pool: CpuPoolSettings | GpuPoolSettings,
    ) -> aks.AgentPool:
        place, cluster = args.place, args.settings
        gpu = pool if isinstance(pool, GpuPoolSettings) else None
        return aks.AgentPool(
            f"{name}-{pool.name}",
            agent_pool_name=pool.name,
            resource_name_=args.cluster_name,
            resource_group_name=place.resource_group_name,
            tags=place.tags,
            mode=aks.AgentPoolMode.USER,
            type=aks.AgentPoolType.VIRTUAL_MACHINE_SCALE_SETS,
            vm_size=pool.vm_size,
            os_type=aks.OSType.LINUX,
            os_sku=_operating_system(kind),
            os_disk_type=aks.OSDiskType.EPHEMERAL,
            os_disk_size_gb=pool.os_disk_gb,
            orchestrator_version=cluster.kubernetes_version,
            enable_auto_scaling=True,
            count=pool.min_nodes,
            min_count=pool.min_nodes,
            max_count=pool.max_nodes,
            max_pods=pool.max_pods,
            availability_zones=list(cluster.zones) or None,
            vnet_subnet_id=args.nodes_subnet_id,
            enable_node_public_ip=False,
            local_dns_profile=local_dns(),
            node_labels=node_labels(kind, spot=pool.spot),
            node_taints=node_taints(kind, spot=pool.spot),
            upgrade_settings=upgrade_settings(pool, spot=pool.spot),
            scale_set_priority=aks.ScaleSetPriority.SPOT
            if pool.spot
            else aks.ScaleSetPriority.REGULAR,
            scale_set_eviction_policy=aks.ScaleSetEvictionPolicy.DELETE if pool.spot else None,
            spot_max_price=_spot_max_price(pool),
            gpu_profile=aks.GPUProfileArgs(driver=aks.GPUDriver.INSTALL) if gpu else None,
            gpu_instance_profile=aks.GPUInstanceProfile(gpu.mig_profile)
            if gpu and gpu.mig_profile
            else None,
            opts=pulumi.ResourceOptions(
                parent=self,
                # Two pools of one name cannot be there at once.
                delete_before_replace=True,
                # Azure refuses a new pool without a count, autoscaled or not
                # (github.com/Azure/azure-service-operator/issues/3220), and later it is the
                # autoscaler's.
                ignore_changes=["count", "orchestratorVersion"]
                if upgraded_by_azure(cluster)
                else ["count"],
            ),
        )


def node_labels(kind: PoolKind, *, spot: bool) -> dict[str, str]:
    """What pods select nodes by; AKS puts the second on spot nodes by itself."""
    return {POOL_LABEL: kind, **({SPOT_TAINT_KEY: SPOT_TAINT_VALUE} if spot else {})}


def node_taints(kind: PoolKind, *, spot: bool) -> list[str]:
    """What keeps pods away that have not asked for such a node."""
    return [*([GPU_TAINT] if kind == "gpu" else []), *([SPOT_TAINT] if spot else [])]


def _operating_system(kind: PoolKind) -> aks.OSSKU:
    """Azure Linux, but for GPUs: there it gets no security patches by itself.

    Source: learn.microsoft.com/azure/aks/use-nvidia-gpu.
    """
    return aks.OSSKU.UBUNTU if kind == "gpu" else aks.OSSKU.AZURE_LINUX3


def _spot_max_price(pool: CpuPoolSettings | GpuPoolSettings) -> float | None:
    if not pool.spot:
        return None
    return pool.spot_max_price_usd if isinstance(pool, GpuPoolSettings) else -1.0
