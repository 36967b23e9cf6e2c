"""What all node pools have in common: operating system, disk, upgrades, drift that is no drift."""

from __future__ import annotations

from pulumi_azure_native import containerservice as aks

from infra.sections.cluster import ClusterSettings
from infra.sections.node_pools import PoolSettings

DRAIN_MINUTES = 30


def upgrade_settings(pool: PoolSettings, *, spot: bool) -> aks.AgentPoolUpgradeSettingsArgs:
    """How nodes are replaced when the pool is upgraded.

    A node that cannot be drained is set aside and the upgrade goes on, instead of leaving half the
    pool behind (learn.microsoft.com/azure/aks/upgrade-cluster). Spot pools take no surge: Azure
    refuses ``max_surge`` there, and without a spare node nothing can be set aside.
    """
    if spot:
        return aks.AgentPoolUpgradeSettingsArgs(drain_timeout_in_minutes=DRAIN_MINUTES)
    return aks.AgentPoolUpgradeSettingsArgs(
        max_surge=pool.max_surge,
        drain_timeout_in_minutes=DRAIN_MINUTES,
        undrainable_node_behavior=aks.UndrainableNodeBehavior.CORDON,
    )


def local_dns() -> aks.LocalDNSProfileArgs:
    """No DNS cache on the nodes, which AKS would begin to make with Kubernetes 1.37.

    Pods would then ask an address of their own node, which the network policies that let them ask
    the cluster's DNS do not allow (learn.microsoft.com/azure/aks/dns-concepts): with the upgrade
    the gateway would find nobody.
    """
    return aks.LocalDNSProfileArgs(mode=aks.LocalDNSMode.DISABLED)


def upgraded_by_azure(settings: ClusterSettings) -> bool:
    """Whether Azure changes the Kubernetes version by itself.

    It then reads back with its patch (1.36.2) where 1.36 was declared, and a pool's in turn: each
    preview after a refresh would show a change that nobody made.
    """
    return settings.upgrades.channel != "none"
