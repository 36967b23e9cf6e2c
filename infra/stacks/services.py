"""The services layer: everything in the cluster, and the images that run there."""

from __future__ import annotations

import pulumi
import pulumi_azure_native as azure

from infra.azure.locks import Locks
from infra.azure.workload_identity import WorkloadIdentities, WorkloadIdentitiesArgs
from infra.images import ServiceImages, ServiceImagesArgs
from infra.kubernetes.access import ClusterRoles, ClusterRolesArgs
from infra.kubernetes.add_ons import AddOns, AddOnsArgs
from infra.kubernetes.api_keys import ApiKeys, ApiKeysArgs
from infra.kubernetes.gateway import ScoringGateway, ScoringGatewayArgs
from infra.kubernetes.gpu import GpuDevicePlugin, GpuDevicePluginArgs
from infra.kubernetes.metrics_collection import MetricsCollection
from infra.kubernetes.namespaces import Namespaces, NamespacesArgs
from infra.kubernetes.provider import cluster_provider
from infra.kubernetes.sign_in import SUBJECT, is_federated, redirect_uri, signed_out_uri
from infra.kubernetes.workloads import Workloads, WorkloadsArgs
from infra.settings import Settings
from infra.stacks.azure_place import place_of
from infra.stacks.platform_outputs import PlatformOutputs


def declare_services(settings: Settings, platform: PlatformOutputs, locks: Locks) -> None:
    """Declare images, workload identities and every Kubernetes object."""
    azure_provider = azure.Provider(
        "azure-services", subscription_id=settings.subscription_id, tenant_id=settings.tenant_id
    )
    azure_opts = pulumi.ResourceOptions(provider=azure_provider)
    place = place_of(settings, platform.resource_group_name, locks)
    images = ServiceImages(
        "images", ServiceImagesArgs(settings, registry_login_server=platform.registry_login_server)
    )
    identities = WorkloadIdentities(
        "workload-identities",
        WorkloadIdentitiesArgs(
            place,
            settings,
            oidc_issuer_url=platform.oidc_issuer_url,
            key_vault_id=platform.key_vault_id,
            prometheus_workspace_id=platform.prometheus_workspace_id,
        ),
        azure_opts,
    )
    provider = cluster_provider("kubernetes", settings, platform, azure_opts)
    opts = pulumi.ResourceOptions(provider=provider)
    namespaces = Namespaces("namespaces", NamespacesArgs(settings), opts)
    add_ons = AddOns("add-ons", AddOnsArgs(settings, namespaces), opts)
    if settings.resnet.enabled and settings.resnet.device == "gpu":
        GpuDevicePlugin("gpu", GpuDevicePluginArgs(settings.cluster.gpu_pool, namespaces), opts)
    if settings.monitoring.prometheus:
        MetricsCollection("metrics-collection", opts)
    ClusterRoles("roles", ClusterRolesArgs(settings.access, namespaces), opts)
    keys = ApiKeys(
        "api-keys",
        ApiKeysArgs(place, settings, namespaces, identities, platform),
        opts,
        azure_opts,
    )
    workloads = Workloads(
        "workloads",
        WorkloadsArgs(settings, namespaces, images, identities, keys, platform),
        opts,
    )
    gateway = ScoringGateway(
        "gateway", ScoringGatewayArgs(settings, namespaces, add_ons, workloads, platform), opts
    )
    for name, url in gateway.urls.items():
        pulumi.export(f"{name}_url", url)
    for name, reference in images.references.items():
        pulumi.export(f"{name}_image", reference)
    _export_sign_in(settings, platform)


def _export_sign_in(settings: Settings, platform: PlatformOutputs) -> None:
    """What the page's registration at the provider must say."""
    if not settings.web.enabled or settings.web.sign_in is None:
        return
    pulumi.export("sign_in_redirect_uri", redirect_uri(settings))
    pulumi.export("sign_in_signed_out_uri", signed_out_uri(settings))
    if is_federated(settings):
        pulumi.export("sign_in_federated_issuer", platform.oidc_issuer_url)
        pulumi.export("sign_in_federated_subject", SUBJECT)
