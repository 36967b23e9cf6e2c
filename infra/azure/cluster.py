"""The AKS cluster with its system pool."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerservice as aks

from infra.azure import cluster_profiles as profiles
from infra.azure.cluster_add_ons import add_ons
from infra.azure.diagnostics import send_diagnostics
from infra.azure.identities import ClusterIdentities
from infra.azure.maintenance import declare_windows
from infra.azure.network import Network
from infra.azure.node_pool_profiles import local_dns, upgrade_settings, upgraded_by_azure
from infra.azure.place import Place
from infra.scheduling import CRITICAL_TAINT
from infra.sections.monitoring import LogSettings
from infra.settings import Settings

LOGS = (
    "cloud-controller-manager",
    "cluster-autoscaler",
    "guard",
    "kube-apiserver",
    "kube-controller-manager",
)
"""Without kube-scheduler, which writes most and says least, and without storage drivers' logs."""

LONGEST_DNS_PREFIX = 54
LONGEST_NODE_GROUP = 80


@dataclass(frozen=True)
class ClusterArgs:
    """What :class:`Cluster` needs.

    Attributes:
        place: where it goes.
        settings: the whole settings: most sections have a part in the cluster.
        network: has the nodes' subnet and the addresses from which they call out.
        identities: the control plane's and the nodes'.
        workspace_id: the Log Analytics workspace.
    """

    place: Place
    settings: Settings
    network: Network
    identities: ClusterIdentities
    workspace_id: pulumi.Input[str]


class Cluster(pulumi.ComponentResource):
    """The cluster, its maintenance windows and its logs.

    The system pool is declared here, because AKS makes no cluster without one; all others are
    :class:`~infra.azure.node_pools.NodePools`: AKS takes no second pool by this way later.

    The cluster has no lock of its own: Azure hands locks down, so that one here would also keep
    every node pool from being replaced. What must outlive the cluster lies outside of it.

    Attributes:
        id: the cluster's resource id.
        name: its name.
        oidc_issuer_url: who signs the service accounts' tokens.
    """

    id: pulumi.Output[str]
    name: pulumi.Output[str]
    oidc_issuer_url: pulumi.Output[str]

    def __init__(
        self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:Cluster", name, None, opts)
        cluster = self._cluster(name, args)
        declare_windows(name, args.place, cluster.name, args.settings.cluster.upgrades, self)
        send_diagnostics(
            name,
            args.place,
            cluster,
            args.workspace_id,
            categories=log_categories(args.settings.monitoring.logs),
            parent=self,
        )
        self.id = cluster.id
        self.name = cluster.name
        self.oidc_issuer_url = _issuer_url(cluster)
        self.register_outputs(
            {"id": self.id, "name": self.name, "oidc_issuer_url": self.oidc_issuer_url}
        )

    def _cluster(self, name: str, args: ClusterArgs) -> aks.ManagedCluster:
        place, settings, identities = args.place, args.settings, args.identities
        cluster = settings.cluster
        return aks.ManagedCluster(
            name,
            resource_name_=place.naming.resource("aks"),
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=place.tags,
            sku=profiles.sku(cluster),
            support_plan=profiles.support_plan(cluster),
            kubernetes_version=cluster.kubernetes_version,
            dns_prefix=place.naming.resource("aks", longest=LONGEST_DNS_PREFIX),
            node_resource_group=place.naming.resource("rg", "nodes", longest=LONGEST_NODE_GROUP),
            # What AKS makes there is AKS's to change; a change by hand would be lost some day.
            node_resource_group_profile=aks.ManagedClusterNodeResourceGroupProfileArgs(
                restriction_level=aks.RestrictionLevel.READ_ONLY
            ),
            identity=aks.ManagedClusterIdentityArgs(
                type=aks.ResourceIdentityType.USER_ASSIGNED,
                user_assigned_identities=[identities.control_plane_id],
            ),
            identity_profile={
                "kubeletidentity": aks.UserAssignedIdentityArgs(
                    resource_id=identities.kubelet_id,
                    client_id=identities.kubelet_client_id,
                    object_id=identities.kubelet_principal_id,
                )
            },
            enable_rbac=True,
            disable_local_accounts=True,
            aad_profile=aks.ManagedClusterAADProfileArgs(
                managed=True, enable_azure_rbac=True, tenant_id=place.tenant_id
            ),
            oidc_issuer_profile=aks.ManagedClusterOIDCIssuerProfileArgs(enabled=True),
            public_network_access=aks.PublicNetworkAccess.DISABLED
            if cluster.private
            else aks.PublicNetworkAccess.ENABLED,
            api_server_access_profile=profiles.api_server(cluster, args.network.egress_addresses),
            network_profile=profiles.network(settings),
            agent_pool_profiles=[_system_pool(settings, args.network.nodes_subnet_id, place)],
            node_provisioning_profile=aks.ManagedClusterNodeProvisioningProfileArgs(
                mode=aks.NodeProvisioningMode.MANUAL
            ),
            auto_scaler_profile=profiles.auto_scaler(cluster),
            workload_auto_scaler_profile=profiles.workload_auto_scaler(settings),
            auto_upgrade_profile=profiles.auto_upgrade(cluster),
            security_profile=profiles.security(settings, args.workspace_id),
            addon_profiles=add_ons(settings, args.workspace_id),
            azure_monitor_profile=profiles.metrics(settings),
            metrics_profile=profiles.cost_analysis(cluster),
            storage_profile=profiles.storage(),
            opts=pulumi.ResourceOptions.merge(
                place.keep(self, depends_on=identities.ready),
                pulumi.ResourceOptions(ignore_changes=changed_by_azure(settings)),
            ),
        )


def log_categories(logs: LogSettings) -> tuple[str, ...]:
    """Logs of the control plane; ``kube-audit-admin`` is ``kube-audit`` without the reads."""
    audit = {"off": (), "admin": ("kube-audit-admin",), "all": ("kube-audit",)}[logs.audit]
    return (*LOGS, *audit)


def changed_by_azure(settings: Settings) -> list[str]:
    """What is not ours to put back: the autoscaler's node count, and versions that Azure upgrades.

    Paths are those of the provider, in camelCase; others would match nothing.
    """
    paths = ["agentPoolProfiles[0].count"]
    if upgraded_by_azure(settings.cluster):
        paths += ["kubernetesVersion", "agentPoolProfiles[0].orchestratorVersion"]
    return paths


def _system_pool(
    settings: Settings, subnet_id: pulumi.Input[str], place: Place
) -> aks.ManagedClusterAgentPoolProfileArgs:
    cluster = settings.cluster
    pool = cluster.system_pool
    return aks.ManagedClusterAgentPoolProfileArgs(
        name=pool.name,
        mode=aks.AgentPoolMode.SYSTEM,
        type=aks.AgentPoolType.VIRTUAL_MACHINE_SCALE_SETS,
        vm_size=pool.vm_size,
        os_type=aks.OSType.LINUX,
        os_sku=aks.OSSKU.AZURE_LINUX3,
        os_disk_type=aks.OSDiskType.EPHEMERAL,
        os_disk_size_gb=pool.os_disk_gb,
        orchestrator_version=cluster.kubernetes_version,
        enable_auto_scaling=True,
        count=pool.min_nodes,
        min_count=pool.min_nodes,
        max_count=pool.max_nodes,
        max_pods=pool.max_pods,
        availability_zones=list(cluster.zones) or None,
        vnet_subnet_id=subnet_id,
        enable_node_public_ip=False,
        local_dns_profile=local_dns(),
        node_taints=[CRITICAL_TAINT],
        upgrade_settings=upgrade_settings(pool, spot=False),
        tags=place.tags,
    )


def _issuer_url(cluster: aks.ManagedCluster) -> pulumi.Output[str]:
    """Read together with the id, so that it is unknown, not missing, until there is a cluster."""
    issuer = cluster.oidc_issuer_profile.apply(lambda found: found.issuer_url if found else "")
    return pulumi.Output.all(cluster.id, issuer).apply(lambda both: str(both[1]))
