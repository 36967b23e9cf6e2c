"""The parts of an AKS cluster's declaration, each a function of the settings.

Sources: learn.microsoft.com/azure/aks (best practices, cluster autoscaler, egress, API server
access), and the rules of PSRule for Azure on AKS.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import containerservice as aks

from infra.sections.cluster import ClusterSettings
from infra.sections.workloads import ServiceSettings
from infra.settings import Settings

GRACE_SECONDS = 600
"""How long a node waits for its pods; more than the settings let any of them drain and stop."""
NO_PRIVATE_ZONE = "none"
"""The API server's name is then public and leads to its private address: whoever reaches the
network can resolve it, peered networks too, without a zone in the nodes' resource group, which is
read-only (learn.microsoft.com/azure/aks/private-clusters)."""


def sku(settings: ClusterSettings) -> aks.ManagedClusterSKUArgs:
    """The tier that is paid for."""
    return aks.ManagedClusterSKUArgs(
        name=aks.ManagedClusterSKUName.BASE, tier=aks.ManagedClusterSKUTier(settings.tier)
    )


def support_plan(settings: ClusterSettings) -> aks.KubernetesSupportPlan:
    """Two years of support for a Kubernetes version are what Premium is for."""
    if settings.tier == "Premium":
        return aks.KubernetesSupportPlan.AKS_LONG_TERM_SUPPORT
    return aks.KubernetesSupportPlan.KUBERNETES_OFFICIAL


def network(settings: Settings) -> aks.ContainerServiceNetworkProfileArgs:
    """Pods get addresses of an overlay; Cilium carries their traffic and applies the policies."""
    ranges = settings.network
    return aks.ContainerServiceNetworkProfileArgs(
        network_plugin=aks.NetworkPlugin.AZURE,
        network_plugin_mode=aks.NetworkPluginMode.OVERLAY,
        network_dataplane=aks.NetworkDataplane.CILIUM,
        network_policy=aks.NetworkPolicy.CILIUM,
        pod_cidr=ranges.pod_range,
        service_cidr=ranges.service_range,
        dns_service_ip=ranges.dns_service_address,
        load_balancer_sku=aks.LoadBalancerSku.STANDARD,
        outbound_type=_outbound_type(settings),
    )


def _outbound_type(settings: Settings) -> aks.OutboundType:
    """AKS makes no way out of its own: the load balancer's would run out of ports under load.

    A subnet that existed before has its own way out, by the routes of whoever keeps that network.
    """
    if settings.network.existing_nodes_subnet_id is None:
        return aks.OutboundType.USER_ASSIGNED_NAT_GATEWAY
    return aks.OutboundType.USER_DEFINED_ROUTING


def api_server(
    settings: ClusterSettings, egress_addresses: Sequence[pulumi.Input[str]]
) -> aks.ManagedClusterAPIServerAccessProfileArgs:
    """Who can reach the API server; `az aks command invoke` is nobody's way around it."""
    if settings.private:
        return aks.ManagedClusterAPIServerAccessProfileArgs(
            disable_run_command=True,
            enable_private_cluster=True,
            enable_private_cluster_public_fqdn=True,
            private_dns_zone=NO_PRIVATE_ZONE,
        )
    return aks.ManagedClusterAPIServerAccessProfileArgs(
        disable_run_command=True,
        enable_private_cluster=False,
        authorized_ip_ranges=_authorized(settings, egress_addresses),
    )


def _authorized(
    settings: ClusterSettings, egress_addresses: Sequence[pulumi.Input[str]]
) -> list[pulumi.Input[str]] | None:
    """With ranges the nodes need a place among them: they call the API server from outside too.

    Without any the API server answers everybody who can sign in. A list with the nodes' addresses
    alone would lock everybody else out.
    """
    if not settings.authorized_ip_ranges:
        return None
    nodes = [pulumi.Output.concat(address, "/32") for address in egress_addresses]
    return [*settings.authorized_ip_ranges, *nodes]


def auto_scaler(settings: ClusterSettings) -> aks.ManagedClusterPropertiesAutoScalerProfileArgs:
    """How the cluster autoscaler weighs nodes. All its numbers and most booleans are strings."""
    chosen = settings.autoscaler
    return aks.ManagedClusterPropertiesAutoScalerProfileArgs(
        expander=aks.Expander(chosen.expander),
        balance_similar_node_groups="true",
        scan_interval=f"{chosen.scan_interval_seconds}s",
        new_pod_scale_up_delay="0s",
        max_node_provision_time=f"{chosen.node_provision_minutes}m",
        scale_down_unneeded_time=f"{chosen.scale_down_unneeded_minutes}m",
        scale_down_unready_time="20m",
        scale_down_delay_after_add=f"{chosen.scale_down_after_add_minutes}m",
        scale_down_delay_after_delete=f"{chosen.scan_interval_seconds}s",
        scale_down_delay_after_failure="3m",
        scale_down_utilization_threshold="0.5",
        max_graceful_termination_sec=str(GRACE_SECONDS),
        max_empty_bulk_delete="10",
        max_total_unready_percentage="45",
        ok_total_unready_count="3",
        # Every pod of the stack has an emptyDir for temporary files, which counts as local storage:
        # with "true" no node would ever be removed.
        skip_nodes_with_local_storage="false",
        skip_nodes_with_system_pods="true",
        # A small node is half full of daemons; they are no reason to keep it.
        ignore_daemonsets_utilization=True,
        daemonset_eviction_for_empty_nodes=False,
        daemonset_eviction_for_occupied_nodes=True,
    )


def auto_upgrade(settings: ClusterSettings) -> aks.ManagedClusterAutoUpgradeProfileArgs:
    """What Azure upgrades by itself."""
    return aks.ManagedClusterAutoUpgradeProfileArgs(
        upgrade_channel=aks.UpgradeChannel(settings.upgrades.channel),
        node_os_upgrade_channel=aks.NodeOSUpgradeChannel(settings.upgrades.node_image_channel),
    )


def security(
    settings: Settings, workspace_id: pulumi.Input[str]
) -> aks.ManagedClusterSecurityProfileArgs:
    """Workload identity, the image cleaner and, where wanted, the Defender sensor."""
    return aks.ManagedClusterSecurityProfileArgs(
        workload_identity=aks.ManagedClusterSecurityProfileWorkloadIdentityArgs(enabled=True),
        image_cleaner=aks.ManagedClusterSecurityProfileImageCleanerArgs(
            enabled=True, interval_hours=settings.cluster.image_cleaner_hours
        ),
        defender=_defender(workspace_id) if settings.security.defender.cluster_profile else None,
    )


def _defender(workspace_id: pulumi.Input[str]) -> aks.ManagedClusterSecurityProfileDefenderArgs:
    return aks.ManagedClusterSecurityProfileDefenderArgs(
        log_analytics_workspace_resource_id=workspace_id,
        security_monitoring=aks.ManagedClusterSecurityProfileDefenderSecurityMonitoringArgs(
            enabled=True
        ),
    )


def storage() -> aks.ManagedClusterStorageProfileArgs:
    """No storage drivers: nothing in the stack keeps a volume, and each runs with high rights."""
    return aks.ManagedClusterStorageProfileArgs(
        blob_csi_driver=aks.ManagedClusterStorageProfileBlobCSIDriverArgs(enabled=False),
        disk_csi_driver=aks.ManagedClusterStorageProfileDiskCSIDriverArgs(enabled=False),
        file_csi_driver=aks.ManagedClusterStorageProfileFileCSIDriverArgs(enabled=False),
        snapshot_controller=aks.ManagedClusterStorageProfileSnapshotControllerArgs(enabled=False),
    )


def workload_auto_scaler(settings: Settings) -> aks.ManagedClusterWorkloadAutoScalerProfileArgs:
    """KEDA where a service scales on its queue, the vertical pod autoscaler where asked for."""
    return aks.ManagedClusterWorkloadAutoScalerProfileArgs(
        keda=aks.ManagedClusterWorkloadAutoScalerProfileKedaArgs(
            enabled=scales_on_a_queue(settings)
        ),
        vertical_pod_autoscaler=aks.ManagedClusterWorkloadAutoScalerProfileVerticalPodAutoscalerArgs(
            enabled=settings.cluster.vertical_pod_autoscaler
        ),
    )


def scales_on_a_queue(settings: Settings) -> bool:
    """Whether KEDA has anything to do."""
    services: tuple[ServiceSettings, ...] = (settings.faq, settings.resnet)
    return any(service.enabled and service.scaling.metric == "queue" for service in services)


def metrics(settings: Settings) -> aks.ManagedClusterAzureMonitorProfileArgs:
    """The collector of managed Prometheus."""
    return aks.ManagedClusterAzureMonitorProfileArgs(
        metrics=aks.ManagedClusterAzureMonitorProfileMetricsArgs(
            enabled=settings.monitoring.prometheus
        )
    )


def cost_analysis(settings: ClusterSettings) -> aks.ManagedClusterMetricsProfileArgs:
    """Costs by namespace in Azure's own cost analysis."""
    return aks.ManagedClusterMetricsProfileArgs(
        cost_analysis=aks.ManagedClusterCostAnalysisArgs(enabled=settings.cost_analysis)
    )
