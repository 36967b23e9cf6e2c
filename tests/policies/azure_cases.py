"""How each rule on Azure resources is violated."""

from __future__ import annotations

from tests.policies.spoiling import (
    EACH,
    MISSING,
    Case,
    Spoil,
    add,
    any_of,
    invent,
    option,
    put,
    without,
)

CS = "azure-native:containerservice"
CLUSTER = f"{CS}:ManagedCluster"
POOL = f"{CS}:AgentPool"
WINDOW = f"{CS}:MaintenanceConfiguration"
REGISTRY = "azure-native:containerregistry:Registry"
IMAGE = "docker:index/image:Image"
NETWORK = "azure-native:network:VirtualNetwork"
GROUP = "azure-native:network:NetworkSecurityGroup"
ADDRESS = "azure-native:network:PublicIPAddress"
FIREWALL = "azure-native:network:ApplicationGateway"
FIREWALL_POLICY = "azure-native:network:WebApplicationFirewallPolicy"
STORAGE = "azure-native:storage:StorageAccount"
WORKSPACE = "azure-native:operationalinsights:Workspace"
ALERTS = "azure-native:alertsmanagement:PrometheusRuleGroup"
VAULT = "azure-native:keyvault:Vault"
CREDENTIAL = "azure-native:managedidentity:FederatedIdentityCredential"
ASSIGNMENT = "azure-native:authorization:RoleAssignment"
DEFINITION = "azure-native:authorization:RoleDefinition"
CONTAINER = "docker:index/container:Container"


def cluster(policy: str, path: str | tuple[str | int, ...], value: object) -> Case:
    return Case(policy, (put(CLUSTER, path, value),))


def never(policy: str, path: str, value: object) -> Case:
    """What the cluster must not declare at all, and does not."""
    return Case(policy, (invent(CLUSTER, path, value),))


def both_pools(policy: str, key: str, value: object) -> tuple[Case, Case]:
    """A pool of its own, and the cluster's inline one."""
    return (
        Case(policy, (put(POOL, key, value, "cpu"),)),
        Case(policy, (put(CLUSTER, ("agentPoolProfiles", 0, key), value),)),
    )


def nsg_rule(**changes: object) -> Spoil:
    rule = {
        "name": "new", "access": "Allow", "direction": "Inbound", "sourceAddressPrefix": "*",
        "destinationPortRange": "22", **changes,
    }  # fmt: skip
    return add(GROUP, "securityRules", rule)


CLUSTER_CASES = (
    cluster("aks-local-accounts-disabled", "disableLocalAccounts", False),
    cluster("aks-local-accounts-disabled", "disableLocalAccounts", MISSING),
    cluster("aks-entra-sign-in", "aadProfile", MISSING),
    cluster("aks-azure-rbac", "aadProfile.enableAzureRBAC", False),
    cluster("aks-kubernetes-rbac", "enableRBAC", False),
    cluster("aks-api-server-restricted", "apiServerAccessProfile.enablePrivateCluster", False),
    never("aks-api-server-ranges-closed", "apiServerAccessProfile.authorizedIPRanges",
            ["203.0.113.0/24", "0.0.0.0/0"]),
    cluster("aks-run-command-disabled", "apiServerAccessProfile.disableRunCommand", False),
    cluster("aks-network-policy", "networkProfile.networkPolicy", "azure"),
    cluster("aks-network-policy", "networkProfile.networkPolicy", MISSING),
    cluster("aks-cni-overlay", "networkProfile.networkPluginMode", MISSING),
    cluster("aks-standard-load-balancer", "networkProfile.loadBalancerSku", "basic"),
    cluster("aks-managed-identity", "identity.type", "SystemAssigned"),
    never("aks-managed-identity", "servicePrincipalProfile", {"clientId": "1"}),
    cluster("aks-workload-identity", "oidcIssuerProfile.enabled", False),
    cluster("aks-workload-identity", "securityProfile.workloadIdentity.enabled", False),
    never("aks-pod-identity-off", "podIdentityProfile.enabled", True),
    cluster("aks-image-cleaner", "securityProfile.imageCleaner.enabled", False),
    cluster("aks-image-cleaner", "securityProfile.imageCleaner.intervalHours", 12),
    cluster("aks-uptime-agreement", "sku.tier", "Free"),
    cluster("aks-auto-upgrade", "autoUpgradeProfile.upgradeChannel", "none"),
    cluster("aks-node-image-upgrade", "autoUpgradeProfile.nodeOSUpgradeChannel", "Unmanaged"),
    cluster("aks-supported-version", "kubernetesVersion", "1.34"),
    cluster("aks-version-without-patch", "kubernetesVersion", "1.36.2"),
    cluster("aks-container-insights", "addonProfiles.omsagent.enabled", False),
    cluster("aks-container-insights", "addonProfiles.omsagent.config.useAADAuth", "false"),
    cluster("aks-policy-add-on", "addonProfiles.azurepolicy.enabled", False),
    cluster("aks-defender-profile", "securityProfile.defender", MISSING),
    cluster("aks-secret-rotation",
            "addonProfiles.azureKeyvaultSecretsProvider.config.enableSecretRotation", "false"),
    cluster("aks-dashboard-disabled", "addonProfiles.kubeDashboard", MISSING),
    never("aks-no-ended-ingress", "addonProfiles.httpApplicationRouting.enabled", True),
    never("aks-no-ended-ingress", "ingressProfile.webAppRouting.enabled", True),
    cluster("aks-node-resource-group-locked", "nodeResourceGroupProfile.restrictionLevel",
            "Unrestricted"),
    Case("aks-one-inline-pool", (add(CLUSTER, "agentPoolProfiles", {"mode": "User"}),)),
    cluster("aks-one-inline-pool", ("agentPoolProfiles", 0, "mode"), "User"),
    cluster("aks-autoscaler-texts", "autoScalerProfile.maxGracefulTerminationSec", 600),
    Case("aks-maintenance-windows",
         (any_of(put(WINDOW, "configName", "default"), put(WINDOW, "name", "default")),)),
    Case("aks-maintenance-window-length", (put(WINDOW, "maintenanceWindow.durationHours", 3),)),
)  # fmt: skip

POOL_CASES = (
    *both_pools("aks-pool-autoscaling", "enableAutoScaling", False),
    *both_pools("aks-pool-autoscaling", "minCount", 99),
    *both_pools("aks-pool-most-pods", "maxPods", 30),
    *both_pools("aks-pool-ephemeral-disk", "osDiskType", "Managed"),
    *both_pools("aks-pool-not-burstable", "vmSize", "Standard_B4ms"),
    *both_pools("aks-pool-living-system", "osSKU", "AzureLinux"),
    *both_pools("aks-pool-zones", "availabilityZones", ["1"]),
    *both_pools("aks-pool-no-public-address", "enableNodePublicIP", True),
    cluster("aks-system-pool-size", ("agentPoolProfiles", 0, "minCount"), 1),
    cluster("aks-system-pool-taint", ("agentPoolProfiles", 0, "nodeTaints"), []),
    Case("aks-gpu-pool-taint", (put(POOL, "nodeTaints", [], "gpu"),)),
    Case(
        "aks-spot-pool",
        (
            any_of(
                invent(POOL, "upgradeSettings.maxSurge", "33%", "spot"),
                invent(POOL, "upgradeSettings.maxSurge", "33%", "gpu"),
            ),
        ),
        "gpu-spot",
    ),
    Case("aks-spot-pool", (put(POOL, "nodeTaints", []),), "gpu-spot"),
    Case("aks-spot-pool", (put(POOL, "scaleSetEvictionPolicy", "Deallocate"),), "gpu-spot"),
    Case("aks-pool-surge", (put(POOL, "upgradeSettings", {}, "cpu"),)),
    Case("aks-pool-count-ignored", (option(POOL, "cpu", ignore_changes=()),)),
    Case("aks-pool-name", (put(POOL, "agentPoolName", "a-much-too-long-name"),)),
)

REGISTRY_CASES = (
    Case("acr-admin-disabled", (put(REGISTRY, "adminUserEnabled", True),)),
    Case("acr-anonymous-pull-disabled", (put(REGISTRY, "anonymousPullEnabled", True),)),
    Case("acr-production-tier", (put(REGISTRY, "sku.name", "Basic"),)),
    Case("acr-private", (put(REGISTRY, "publicNetworkAccess", "Enabled"),)),
    Case("acr-retention", (put(REGISTRY, "policies.retentionPolicy", MISSING),)),
    Case("acr-zone-redundant", (put(REGISTRY, "zoneRedundancy", "Disabled"),)),
    Case("acr-export-disabled", (put(REGISTRY, "policies.exportPolicy.status", "enabled"),)),
    Case("image-no-secret-build-argument", (invent(IMAGE, "build.args.PIP_TOKEN", "hunter2"),)),
    Case("image-platform", (put(IMAGE, "build.platform", MISSING),)),
)

NETWORK_CASES = (
    Case("subnet-network-security-group",
         (put(NETWORK, ("subnets", 0, "networkSecurityGroup"), MISSING),)),
    Case("subnet-no-default-outbound",
         (put(NETWORK, ("subnets", 0, "defaultOutboundAccess"), MISSING),)),
    Case("security-group-web-only", (nsg_rule(),)),
    Case("security-group-web-only", (nsg_rule(sourceAddressPrefix="Internet",
                                              destinationPortRange="*"),)),
    Case("security-group-web-only", (nsg_rule(destinationPortRange=None,
                                              destinationPortRanges=["443", "8000-9000"]),)),
    Case("security-group-web-only", (nsg_rule(sourceAddressPrefix="::/0"),)),
    Case("public-address-standard", (put(ADDRESS, "sku.name", "Basic"),)),
    Case("public-address-standard", (put(ADDRESS, "publicIPAllocationMethod", "Dynamic"),)),
    Case("gateway-flood-protection",
         (put(ADDRESS, "ddosSettings.protectionMode", "Disabled", "gateway"),)),
    Case("gateway-flood-protection", (put(NETWORK, "enableDdosProtection", False),)),
    Case("firewall-tls", (put(FIREWALL, "sslPolicy", {"policyName": "AppGwSslPolicy20150501"}),), "waf"),
    Case("firewall-tls", (put(FIREWALL, "sslPolicy", {"minProtocolVersion": "TLSv1_0"}),), "waf"),
    Case("firewall-tls", (put(FIREWALL, "sslPolicy", MISSING),), "waf"),
    Case("firewall-redirects-http",
         (any_of(put(FIREWALL, ("requestRoutingRules", EACH, "redirectConfiguration"), MISSING),
                 put(FIREWALL, ("requestRoutingRules", EACH, "urlPathMap"), MISSING)),), "waf"),
    Case("firewall-policy-enabled",
         (put(FIREWALL_POLICY, "policySettings.state", "Disabled"),), "waf"),
    Case("firewall-policy-enabled",
         (put(FIREWALL_POLICY, "managedRules.managedRuleSets", []),), "waf"),
    Case("firewall-prevents", (
        put(FIREWALL_POLICY, "policySettings.mode", "Detection"),), "everything-on"),
    cluster("address-ranges-disjoint", "networkProfile.podCidr", "10.40.0.0/14"),
    cluster("address-ranges-disjoint", "networkProfile.dnsServiceIP", "10.99.0.10"),
    Case("private-endpoint-named", (without("azure-native:network:PrivateDnsZoneGroup"),)),
    Case("storage-encrypted-transport", (put(STORAGE, "minimumTlsVersion", "TLS1_0"),)),
    Case("storage-encrypted-transport", (put(STORAGE, "enableHttpsTrafficOnly", False),)),
    Case("storage-no-public-blobs", (put(STORAGE, "allowBlobPublicAccess", True),)),
)  # fmt: skip

MONITORING_CASES = (
    Case("log-workspace-entra-only", (put(WORKSPACE, "features.disableLocalAuth", False),)),
    Case("log-workspace-retention", (put(WORKSPACE, "retentionInDays", 7),)),
    Case("azure-resource-diagnosed",
         (without("azure-native:monitor:DiagnosticSetting", "cluster"),)),
    Case("azure-resource-diagnosed",
         (without("azure-native:monitor:DiagnosticSetting", "registry"),)),
    Case("diagnostics-send-something",
         (put("azure-native:monitor:DiagnosticSetting", "logs", []),
          put("azure-native:monitor:DiagnosticSetting", "metrics", []))),
    Case("alerts-reach-somebody", (put("azure-native:monitor:ActionGroup", "emailReceivers", []),)),
    Case("alerts-reach-somebody", (put("azure-native:monitor:ActionGroup", "enabled", False),)),
    Case("alerts-can-be-acted-on", (put(ALERTS, ("rules", EACH, "severity"), MISSING),)),
    Case("alerts-can-be-acted-on", (put(ALERTS, ("rules", EACH, "for"), MISSING),)),
    Case("alerts-can-be-acted-on", (put(ALERTS, ("rules", EACH, "actions"), []),)),
    Case("grafana-no-api-keys",
         (put("azure-native:dashboard:Grafana", "properties.apiKey", "Enabled"),)),
)  # fmt: skip

OWNER = "/subscriptions/1/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
ACCESS_CASES = (
    Case("key-vault-rbac", (put(VAULT, "properties.enableRbacAuthorization", False),)),
    Case("key-vault-recovery", (put(VAULT, "properties.enablePurgeProtection", MISSING),)),
    Case("key-vault-recovery", (put(VAULT, "properties.softDeleteRetentionInDays", 0),)),
    Case("key-vault-network", (
        put(VAULT, "properties.publicNetworkAccess", "Enabled"),
        put(VAULT, "properties.networkAcls", {"defaultAction": "Allow"}))),
    Case("federated-credential-one-account",
         (put(CREDENTIAL, "subject", "system:serviceaccount:scoring:*"),)),
    Case("federated-credential-one-account", (put(CREDENTIAL, "audiences", ["api://other"]),)),
    Case("role-assignment-modest", (put(ASSIGNMENT, "roleDefinitionId", OWNER),)),
    Case("role-assignment-narrow",
         (put(ASSIGNMENT, "scope", "/subscriptions/11111111-1111-1111-1111-111111111111"),)),
    Case("role-assignment-narrow", (put(ASSIGNMENT, "scope", "/Subscriptions/1"),)),
    Case("role-assignment-narrow",
         (put(ASSIGNMENT, "scope", "/providers/Microsoft.Management/managementGroups/all"),)),
    Case("role-assignment-principal-type", (put(ASSIGNMENT, "principalType", MISSING),)),
    Case("custom-role-no-wildcard",
         (add(DEFINITION, ("permissions", 0, "actions"), "Microsoft.ContainerService/*"),)),
    Case("custom-role-no-wildcard", (add(DEFINITION, ("permissions", 0, "actions"), "*/write"),)),
    Case("custom-role-no-wildcard",
         (add(DEFINITION, ("permissions", 0, "actions"), "Microsoft.Authorization/*/write"),)),
    Case("custom-role-no-wildcard", (put(DEFINITION, ("permissions", 0, "dataActions"), ["*"]),)),
    Case("defender-plan-standard", (put(
        "azure-native:resources:DeploymentAtSubscriptionScope", "properties.template.resources",
        [{"type": "Microsoft.Security/pricings", "properties": {"pricingTier": "Free"}}]),)),
    Case("stateful-resource-protected", (option(REGISTRY, protect=False),)),
    Case("stateful-resource-protected", (option(VAULT, protect=False),)),
)  # fmt: skip

EVERYWHERE_CASES = (
    Case("azure-resource-tagged", (put(POOL, "tags", MISSING),)),
    Case("azure-resource-tagged", (put(VAULT, "tags.application", MISSING),)),
    Case("resource-own-provider", (option(VAULT, provider=""),)),
    Case(
        "local-container-on-loopback",
        (put(CONTAINER, ("ports", EACH, "ip"), "0.0.0.0", "faq"),),
        "local",
    ),
    Case("local-container-on-loopback", (put(CONTAINER, "networkMode", "host", "faq"),), "local"),
    Case("local-container-hardened", (put(CONTAINER, "readOnly", False, "faq"),), "local"),
    Case("local-container-hardened", (put(CONTAINER, "capabilities.drops", [], "faq"),), "local"),
    Case("local-container-hardened", (put(CONTAINER, "securityOpts", [], "faq"),), "local"),
    Case("local-container-hardened", (invent(CONTAINER, "privileged", True, "faq"),), "local"),
)

CASES = (
    *CLUSTER_CASES,
    *POOL_CASES,
    *REGISTRY_CASES,
    *NETWORK_CASES,
    *MONITORING_CASES,
    *ACCESS_CASES,
    *EVERYWHERE_CASES,
)
