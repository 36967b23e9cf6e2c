"""The platform layer: everything in Azure."""

from __future__ import annotations

import pulumi
import pulumi_azure_native as azure

from infra.azure.access import ClusterAccess, ClusterAccessArgs
from infra.azure.alerts import Alerts, AlertsArgs
from infra.azure.cluster import Cluster, ClusterArgs
from infra.azure.container_insights import ContainerInsights, ContainerInsightsArgs
from infra.azure.defender import DefenderPlan, DefenderPlanArgs
from infra.azure.dns import DnsRecord, DnsRecordArgs
from infra.azure.firewall import Firewall, FirewallArgs
from infra.azure.grafana import Dashboards, DashboardsArgs
from infra.azure.identities import ClusterIdentities, ClusterIdentitiesArgs
from infra.azure.key_vault import KeyVault, KeyVaultArgs
from infra.azure.locks import Locks
from infra.azure.log_workspace import LogWorkspace, LogWorkspaceArgs
from infra.azure.network import Network, NetworkArgs
from infra.azure.node_pools import NodePools, NodePoolsArgs
from infra.azure.place import Place
from infra.azure.policies import ClusterPolicies, ClusterPoliciesArgs
from infra.azure.prometheus import Prometheus, PrometheusArgs
from infra.azure.public_address import PublicAddress, PublicAddressArgs
from infra.azure.registry import ContainerRegistry, ContainerRegistryArgs
from infra.settings import Settings
from infra.stacks.azure_place import names_of, place_of, tags_of
from infra.stacks.platform_outputs import PlatformOutputs


def declare_platform(settings: Settings, locks: Locks) -> PlatformOutputs:
    """Declare every Azure resource of a stack that has the platform layer, but for the locks."""
    provider = azure.Provider(
        "azure", subscription_id=settings.subscription_id, tenant_id=settings.tenant_id
    )
    opts = pulumi.ResourceOptions(provider=provider)
    place = _place(settings, locks, opts)
    workspace = LogWorkspace("logs", LogWorkspaceArgs(place, settings.monitoring.logs), opts)
    network = Network(
        "network",
        NetworkArgs(
            place,
            settings.network,
            zones=settings.cluster.zones,
            workspace_id=workspace.id,
            wants_endpoints=settings.registry.acr.private or settings.security.key_vault.private,
            wants_firewall=settings.gateway.web_application_firewall != "off",
        ),
        opts,
    )
    address = PublicAddress(
        "gateway",
        PublicAddressArgs(
            place,
            zones=settings.cluster.zones,
            ddos=settings.network.ddos.protection,
            workspace_id=workspace.id,
        ),
        opts,
    )
    identities = ClusterIdentities(
        "identities",
        ClusterIdentitiesArgs(
            place,
            nodes_subnet_id=network.nodes_subnet_id,
            gateway_address_id=address.id if network.gateway_subnet_id is None else None,
        ),
        opts,
    )
    registry = ContainerRegistry(
        "registry",
        ContainerRegistryArgs(
            place,
            settings.registry,
            kubelet_principal_id=identities.kubelet_principal_id,
            pushers=settings.access.image_pushers,
            endpoints=network.endpoints,
            zone_redundant=bool(settings.cluster.zones),
            workspace_id=workspace.id,
        ),
        opts,
    )
    cluster = Cluster(
        "cluster",
        ClusterArgs(
            place,
            settings,
            network=network,
            identities=identities,
            workspace_id=workspace.id,
        ),
        opts,
    )
    pools = NodePools(
        "pools",
        NodePoolsArgs(
            place,
            settings.cluster,
            cluster_name=cluster.name,
            nodes_subnet_id=network.nodes_subnet_id,
        ),
        opts,
    )
    ContainerInsights(
        "container-insights",
        ContainerInsightsArgs(
            place, settings.monitoring.logs, cluster_id=cluster.id, workspace_id=workspace.id
        ),
        opts,
    )
    metrics = _metrics(settings, place, cluster, workspace, opts)
    vault = _key_vault(settings, place, network, workspace, opts)
    if settings.security.defender.plan == "owned":
        DefenderPlan("defender", DefenderPlanArgs(place, settings.security.defender), opts)
    ClusterPolicies(
        "policies",
        ClusterPoliciesArgs(place, settings.security, cluster_id=cluster.id),
        opts,
    )
    access = ClusterAccess(
        "access", ClusterAccessArgs(place, settings.access, cluster_id=cluster.id), opts
    )
    if network.gateway_subnet_id is not None:
        Firewall(
            "firewall",
            FirewallArgs(
                place,
                settings.gateway,
                subnet_id=network.gateway_subnet_id,
                address_id=address.id,
                zones=settings.cluster.zones,
                workspace_id=workspace.id,
            ),
            opts,
        )
    if settings.gateway.dns_zone_id is not None:
        DnsRecord(
            "dns",
            DnsRecordArgs(
                zone_id=settings.gateway.dns_zone_id,
                host_name=settings.gateway.host_name,
                address=address.ip_address,
            ),
            opts,
        )
    pulumi.log.debug(f"node pools: {', '.join(pools.names)}")
    nothing = pulumi.Output.from_input("")
    return PlatformOutputs(
        resource_group_name=pulumi.Output.from_input(place.resource_group_name),
        cluster_id=cluster.id,
        cluster_name=cluster.name,
        oidc_issuer_url=cluster.oidc_issuer_url,
        registry_login_server=registry.login_server,
        gateway_address=address.ip_address,
        gateway_address_name=address.name,
        prometheus_workspace_id=metrics.workspace_id if metrics else nothing,
        prometheus_query_endpoint=metrics.query_endpoint if metrics else nothing,
        key_vault_id=vault.id if vault else nothing,
        key_vault_name=vault.name if vault else nothing,
        ready=(*pools.pools, *access.assignments),
    )


def _place(settings: Settings, locks: Locks, opts: pulumi.ResourceOptions) -> Place:
    group = azure.resources.ResourceGroup(
        "group",
        resource_group_name=names_of(settings).resource("rg", longest=90),
        location=settings.location,
        tags=tags_of(settings),
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(protect=settings.security.protect)
        ),
    )
    return place_of(settings, group.name, locks)


def _metrics(
    settings: Settings,
    place: Place,
    cluster: Cluster,
    workspace: LogWorkspace,
    opts: pulumi.ResourceOptions,
) -> Prometheus | None:
    """Managed Prometheus, dashboards over it, and alerts on both metrics and logs."""
    monitoring = settings.monitoring
    metrics = None
    if monitoring.prometheus:
        metrics = Prometheus(
            "prometheus",
            PrometheusArgs(place, cluster_id=cluster.id, workspace_id=workspace.id),
            opts,
        )
        if monitoring.grafana:
            Dashboards(
                "dashboards",
                DashboardsArgs(
                    place,
                    prometheus_workspace_id=metrics.workspace_id,
                    zone_redundant=bool(settings.cluster.zones),
                    workspace_id=workspace.id,
                    admin_groups=settings.access.cluster_admin_groups,
                    viewer_groups=settings.access.operator_groups + settings.access.reader_groups,
                ),
                opts,
            )
    if monitoring.alerts.emails:
        Alerts(
            "alerts",
            AlertsArgs(
                place,
                monitoring,
                cluster_id=cluster.id,
                cluster_name=cluster.name,
                prometheus_workspace_id=metrics.workspace_id if metrics else None,
                workspace_id=workspace.id,
            ),
            opts,
        )
    return metrics


def _key_vault(
    settings: Settings,
    place: Place,
    network: Network,
    workspace: LogWorkspace,
    opts: pulumi.ResourceOptions,
) -> KeyVault | None:
    if not settings.security.key_vault.enabled:
        return None
    return KeyVault(
        "vault",
        KeyVaultArgs(
            place,
            settings.security.key_vault,
            endpoints=network.endpoints,
            workspace_id=workspace.id,
        ),
        opts,
    )
