"""Azure Resource Manager's types behind the program's resources.

Permissions (``TYPE/write``) and resource providers (the part before the first slash) are named by
them. A type that is missing here is reported by whoever needs it, and by a test over all stacks.
Source: learn.microsoft.com/azure/templates, checked against Azure's own type definitions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from infra.planning.inputs import objects_at
from infra.planning.monitor import Recorded

PACKAGE = "azure-native:"

RESOURCE_TYPES: Mapping[str, str] = {
    "alertsmanagement:PrometheusRuleGroup": "Microsoft.AlertsManagement/prometheusRuleGroups",
    "authorization:ManagementLockByScope": "Microsoft.Authorization/locks",
    "authorization:PolicyAssignment": "Microsoft.Authorization/policyAssignments",
    "authorization:RoleAssignment": "Microsoft.Authorization/roleAssignments",
    "authorization:RoleDefinition": "Microsoft.Authorization/roleDefinitions",
    "consumption:Budget": "Microsoft.Consumption/budgets",
    "containerregistry:Registry": "Microsoft.ContainerRegistry/registries",
    "containerregistry:Replication": "Microsoft.ContainerRegistry/registries/replications",
    "containerservice:AgentPool": "Microsoft.ContainerService/managedClusters/agentPools",
    "containerservice:DeploymentSafeguard": "Microsoft.ContainerService/deploymentSafeguards",
    "containerservice:MaintenanceConfiguration": (
        "Microsoft.ContainerService/managedClusters/maintenanceConfigurations"
    ),
    "containerservice:ManagedCluster": "Microsoft.ContainerService/managedClusters",
    "dashboard:Grafana": "Microsoft.Dashboard/grafana",
    "dns:RecordSet": "Microsoft.Network/dnsZones/A",
    "keyvault:Secret": "Microsoft.KeyVault/vaults/secrets",
    "keyvault:Vault": "Microsoft.KeyVault/vaults",
    "managedidentity:FederatedIdentityCredential": (
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
    ),
    "managedidentity:UserAssignedIdentity": "Microsoft.ManagedIdentity/userAssignedIdentities",
    "monitor:ActionGroup": "Microsoft.Insights/actionGroups",
    "monitor:ActivityLogAlert": "Microsoft.Insights/activityLogAlerts",
    "monitor:AzureMonitorWorkspace": "Microsoft.Monitor/accounts",
    "monitor:DataCollectionEndpoint": "Microsoft.Insights/dataCollectionEndpoints",
    "monitor:DataCollectionRule": "Microsoft.Insights/dataCollectionRules",
    "monitor:DataCollectionRuleAssociation": "Microsoft.Insights/dataCollectionRuleAssociations",
    "monitor:DiagnosticSetting": "Microsoft.Insights/diagnosticSettings",
    "monitor:MetricAlert": "Microsoft.Insights/metricAlerts",
    "monitor:ScheduledQueryRule": "Microsoft.Insights/scheduledQueryRules",
    "network:ApplicationGateway": "Microsoft.Network/applicationGateways",
    "network:DdosProtectionPlan": "Microsoft.Network/ddosProtectionPlans",
    "network:FlowLog": "Microsoft.Network/networkWatchers/flowLogs",
    "network:NatGateway": "Microsoft.Network/natGateways",
    "network:NetworkSecurityGroup": "Microsoft.Network/networkSecurityGroups",
    "network:PrivateDnsZoneGroup": "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
    "network:PrivateEndpoint": "Microsoft.Network/privateEndpoints",
    "network:PublicIPAddress": "Microsoft.Network/publicIPAddresses",
    "network:VirtualNetwork": "Microsoft.Network/virtualNetworks",
    "network:VirtualNetworkPeering": "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
    "network:WebApplicationFirewallPolicy": (
        "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies"
    ),
    "operationalinsights:Workspace": "Microsoft.OperationalInsights/workspaces",
    "privatedns:PrivateZone": "Microsoft.Network/privateDnsZones",
    "privatedns:VirtualNetworkLink": "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
    "resources:Deployment": "Microsoft.Resources/deployments",
    "resources:DeploymentAtSubscriptionScope": "Microsoft.Resources/deployments",
    "resources:ResourceGroup": "Microsoft.Resources/subscriptions/resourceGroups",
    "storage:BlobServiceProperties": "Microsoft.Storage/storageAccounts/blobServices",
    "storage:ManagementPolicy": "Microsoft.Storage/storageAccounts/managementPolicies",
    "storage:StorageAccount": "Microsoft.Storage/storageAccounts",
}
"""By azure-native's token, without the package's name."""


def is_azure(resource: Recorded) -> bool:
    """Whether Azure Resource Manager makes the resource."""
    return resource.custom and resource.type.startswith(PACKAGE)


def is_known(resource: Recorded) -> bool:
    """Whether the Azure resource's type is one of those above."""
    return resource.type.removeprefix(PACKAGE) in RESOURCE_TYPES


def resource_types_of(resource: Recorded) -> Iterator[str]:
    """The types that making the resource makes: its own, and those of a template in it."""
    own = RESOURCE_TYPES.get(resource.type.removeprefix(PACKAGE))
    if own is not None:
        yield own
    for inner in objects_at(resource, "properties", "template", "resources"):
        type_ = inner.get("type")
        if isinstance(type_, str):
            yield type_
