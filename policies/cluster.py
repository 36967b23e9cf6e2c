"""Rules on the AKS cluster."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import EnforcementLevel, Severity

from policies.reading import UNKNOWN, at, is_set, items, may_equal, shown, text
from policies.rule import AnyRule, Resource, ResourceRule, forbids, wants
from policies.sources import aks, checkov, issue, psrule

CLUSTER = "azure-native:containerservice:ManagedCluster"
NETWORK_POLICIES = ("cilium", "calico")


def _restricted_api_server(cluster: Resource) -> Iterator[str]:
    access = cluster.at("apiServerAccessProfile")
    private = at(access, "enablePrivateCluster")
    ranges = at(access, "authorizedIPRanges")
    if private in (True, UNKNOWN) or ranges is UNKNOWN or items(ranges):
        return
    yield "the API server is neither private nor restricted to authorised ranges"


def _open_ranges(cluster: Resource) -> Iterator[str]:
    for network in items(cluster.at("apiServerAccessProfile", "authorizedIPRanges")):
        if text(network).endswith("/0"):
            yield f"authorizedIPRanges holds {shown(network)}, which is everybody"


def _user_assigned(cluster: Resource) -> Iterator[str]:
    yield from wants("identity.type", "UserAssigned")(cluster)
    if is_set(cluster.at("servicePrincipalProfile")):
        yield "servicePrincipalProfile is set: a password that expires"


def _workload_identity(cluster: Resource) -> Iterator[str]:
    yield from wants("oidcIssuerProfile.enabled", True)(cluster)
    yield from wants("securityProfile.workloadIdentity.enabled", True)(cluster)


def _container_insights(cluster: Resource) -> Iterator[str]:
    yield from wants("addonProfiles.omsagent.enabled", True)(cluster)
    yield from wants("addonProfiles.omsagent.config.useAADAuth", "true")(cluster)


def _secret_rotation(cluster: Resource) -> Iterator[str]:
    add_on = cluster.at("addonProfiles", "azureKeyvaultSecretsProvider")
    if at(add_on, "enabled") is True and not may_equal(
        at(add_on, "config", "enableSecretRotation"), "true"
    ):
        yield "the secrets store does not read rotated secrets again"


def _ended_ingress(cluster: Resource) -> Iterator[str]:
    yield from forbids("addonProfiles.httpApplicationRouting.enabled", True)(cluster)
    if cluster.at("ingressProfile", "webAppRouting", "enabled") is True:
        yield "ingressProfile.webAppRouting installs NGINX"


def _one_inline_pool(cluster: Resource) -> Iterator[str]:
    pools = cluster.at("agentPoolProfiles")
    if pools is UNKNOWN:
        return
    modes = [at(pool, "mode") for pool in items(pools)]
    if len(modes) != 1 or modes[0] not in ("System", UNKNOWN):
        yield f"agentPoolProfiles holds {len(modes)} pools, not exactly one of mode System"


RULES: tuple[AnyRule, ...] = (
    ResourceRule(
        name="aks-local-accounts-disabled", types=(CLUSTER,),
        description="Nobody signs in at the cluster but by Entra",
        severity=Severity.CRITICAL,
        remediation="Set disable_local_accounts=True",
        sources=(psrule("Azure.AKS.LocalAccounts"), checkov("CKV_AZURE_141")),
        check=wants("disableLocalAccounts", True),
    ),
    ResourceRule(
        name="aks-entra-sign-in", types=(CLUSTER,),
        description="Sign-in at the cluster is AKS-managed Entra integration",
        severity=Severity.HIGH,
        remediation="Set aad_profile with managed=True",
        sources=(psrule("Azure.AKS.ManagedAAD"),),
        check=wants("aadProfile.managed", True),
    ),
    ResourceRule(
        name="aks-azure-rbac", types=(CLUSTER,),
        description="Azure role assignments decide who may do what in the cluster",
        severity=Severity.HIGH,
        remediation="Set enable_azure_rbac=True in aad_profile",
        sources=(psrule("Azure.AKS.AzureRBAC"), aks("manage-azure-rbac")),
        check=wants("aadProfile.enableAzureRBAC", True),
    ),
    ResourceRule(
        name="aks-kubernetes-rbac", types=(CLUSTER,),
        description="Kubernetes' own role-based access control is on",
        severity=Severity.CRITICAL,
        remediation="Set enable_rbac=True",
        sources=(psrule("Azure.AKS.UseRBAC"), checkov("CKV_AZURE_5")),
        check=wants("enableRBAC", True),
    ),
    ResourceRule(
        name="aks-api-server-restricted", types=(CLUSTER,),
        description="In production the API server is private, or takes known networks alone",
        severity=Severity.HIGH,
        remediation="Set cluster.private, or cluster.authorized_ip_ranges",
        sources=(psrule("Azure.AKS.AuthorizedIPs"), checkov("CKV_AZURE_6")),
        check=_restricted_api_server, production_only=True,
    ),
    ResourceRule(
        name="aks-api-server-ranges-closed", types=(CLUSTER,),
        description="In production no authorised range is the whole Internet",
        severity=Severity.HIGH,
        remediation="Name your own networks in cluster.authorized_ip_ranges",
        sources=(aks("api-server-authorized-ip-ranges"),),
        check=_open_ranges, production_only=True,
    ),
    ResourceRule(
        name="aks-run-command-disabled", types=(CLUSTER,),
        description="Nobody runs commands in the cluster through Azure's API",
        severity=Severity.MEDIUM,
        remediation="Set disable_run_command=True in api_server_access_profile",
        sources=(aks("access-private-cluster"),),
        check=wants("apiServerAccessProfile.disableRunCommand", True),
    ),
    ResourceRule(
        name="aks-network-policy", types=(CLUSTER,),
        description="NetworkPolicy objects are enforced, by an engine that has a future",
        severity=Severity.HIGH,
        remediation='Set network_policy="cilium"; the engine "azure" ends in September 2028',
        sources=(psrule("Azure.AKS.NetworkPolicy"), checkov("CKV_AZURE_7")),
        check=wants("networkProfile.networkPolicy", *NETWORK_POLICIES),
    ),
    ResourceRule(
        name="aks-cni-overlay", types=(CLUSTER,),
        description="Pods get addresses by Azure CNI overlay",
        severity=Severity.MEDIUM,
        remediation='Set network_plugin="azure" and network_plugin_mode="overlay"',
        sources=(aks("azure-cni-overlay"), psrule("Azure.AKS.AzureCNI")),
        check=wants("networkProfile.networkPluginMode", "overlay"),
    ),
    ResourceRule(
        name="aks-standard-load-balancer", types=(CLUSTER,),
        description="The load balancer is of the Standard SKU",
        severity=Severity.MEDIUM,
        remediation='Set load_balancer_sku="standard"',
        sources=(psrule("Azure.AKS.StandardLB"),),
        check=wants("networkProfile.loadBalancerSku", "standard"),
    ),
    ResourceRule(
        name="aks-managed-identity", types=(CLUSTER,),
        description="The control plane has a user-assigned identity, and no password",
        severity=Severity.HIGH,
        remediation="Set identity with type UserAssigned, and no service_principal_profile",
        sources=(psrule("Azure.AKS.ManagedIdentity"),),
        check=_user_assigned,
    ),
    ResourceRule(
        name="aks-workload-identity", types=(CLUSTER,),
        description="Pods sign in at Azure by workload identity",
        severity=Severity.MEDIUM,
        remediation="Enable oidc_issuer_profile and security_profile.workload_identity",
        sources=(aks("workload-identity-overview"),),
        check=_workload_identity,
    ),
    ResourceRule(
        name="aks-pod-identity-off", types=(CLUSTER,),
        description="The retired pod identity add-on is off",
        severity=Severity.MEDIUM,
        remediation="Remove pod_identity_profile; workload identity takes its place",
        sources=(psrule("Azure.AKS.PodIdentity"),),
        check=forbids("podIdentityProfile.enabled", True),
    ),
    ResourceRule(
        name="aks-uptime-agreement", types=(CLUSTER,),
        description="In production the control plane has an uptime agreement",
        severity=Severity.HIGH,
        remediation="Set cluster.tier: Standard or Premium",
        sources=(psrule("Azure.AKS.UptimeSLA"), checkov("CKV_AZURE_170")),
        check=wants("sku.tier", "Standard", "Premium"), production_only=True,
    ),
    ResourceRule(
        name="aks-container-insights", types=(CLUSTER,),
        description="Container logs go to Log Analytics, with an identity rather than a key",
        severity=Severity.MEDIUM,
        remediation='Enable the add-on omsagent with useAADAuth "true"',
        sources=(psrule("Azure.AKS.ContainerInsights"), checkov("CKV_AZURE_4")),
        check=_container_insights,
    ),
    ResourceRule(
        name="aks-policy-add-on", types=(CLUSTER,),
        description="In production Azure Policy watches over the cluster's objects",
        severity=Severity.MEDIUM,
        remediation="Set security.azure_policy: audit or deny",
        sources=(psrule("Azure.AKS.AzurePolicyAddOn"), checkov("CKV_AZURE_116")),
        check=wants("addonProfiles.azurepolicy.enabled", True),
        level=EnforcementLevel.ADVISORY, production_only=True,
    ),
    ResourceRule(
        name="aks-defender-profile", types=(CLUSTER,),
        description="In production the Defender sensor runs on the nodes",
        severity=Severity.MEDIUM,
        remediation="Set security.defender.cluster_profile: true",
        sources=(psrule("Azure.AKS.DefenderProfile"),),
        check=wants("securityProfile.defender.securityMonitoring.enabled", True),
        level=EnforcementLevel.ADVISORY, production_only=True,
    ),
    ResourceRule(
        name="aks-secret-rotation", types=(CLUSTER,),
        description="Secrets that the CSI driver mounts are read again after a rotation",
        severity=Severity.MEDIUM,
        remediation='Set enableSecretRotation "true" in the add-on\'s config',
        sources=(psrule("Azure.AKS.SecretStoreRotation"), checkov("CKV_AZURE_172")),
        check=_secret_rotation,
    ),
    ResourceRule(
        name="aks-dashboard-disabled", types=(CLUSTER,),
        description="The Kubernetes dashboard add-on is off, and said to be",
        severity=Severity.MEDIUM,
        remediation="Declare the add-on kubeDashboard with enabled=False",
        sources=(checkov("CKV_AZURE_8"),),
        check=wants("addonProfiles.kubeDashboard.enabled", False),
    ),
    ResourceRule(
        name="aks-no-ended-ingress", types=(CLUSTER,),
        description="No ingress add-on is installed that Azure no longer supports",
        severity=Severity.HIGH,
        remediation="Remove the add-on; the gateway of this stack takes its place",
        sources=(psrule("Azure.AKS.HttpAppRouting"), aks("app-routing-gateway-api")),
        check=_ended_ingress,
    ),
    ResourceRule(
        name="aks-node-resource-group-locked", types=(CLUSTER,),
        description="Nobody changes what AKS made in its own resource group",
        severity=Severity.MEDIUM,
        remediation='Set node_resource_group_profile with restriction_level "ReadOnly"',
        sources=(aks("node-resource-group-lockdown"),),
        check=wants("nodeResourceGroupProfile.restrictionLevel", "ReadOnly"),
    ),
    ResourceRule(
        name="aks-one-inline-pool", types=(CLUSTER,),
        description="The cluster itself declares its system pool and no other",
        severity=Severity.HIGH,
        remediation="Declare further pools as AgentPool; Azure refuses to add inline ones later",
        sources=(issue("pulumi/pulumi-azure-native", 579),),
        check=_one_inline_pool,
    ),
)  # fmt: skip
