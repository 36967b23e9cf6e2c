"""Rules on key vaults, identities and role assignments in Azure, and on what must not get lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pulumi_policy import EnforcementLevel, Severity

from policies.reading import UNKNOWN, at, holds_unknown, items, number, shown, text
from policies.rule import AnyRule, Resource, ResourceRule, wants
from policies.sources import aks, azure, checkov

VAULT = "azure-native:keyvault:Vault"
CREDENTIAL = "azure-native:managedidentity:FederatedIdentityCredential"
ASSIGNMENT = "azure-native:authorization:RoleAssignment"
DEFINITION = "azure-native:authorization:RoleDefinition"
DEPLOYMENT = "azure-native:resources:DeploymentAtSubscriptionScope"
KEPT = (
    "azure-native:containerregistry:Registry",
    "azure-native:keyvault:Vault",
    "azure-native:monitor:AzureMonitorWorkspace",
    "azure-native:network:VirtualNetwork",
    "azure-native:operationalinsights:Workspace",
)
MIGHTY_ROLES = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
}
"""learn.microsoft.com/azure/role-based-access-control/built-in-roles/privileged"""
SHORTEST_RECOVERY_DAYS = 7
WIDE_SCOPE = r"/?(subscriptions/[^/]+|providers/Microsoft\.Management/managementGroups/[^/]+)?/?"
"""Azure reads scopes without regard to case."""
SUBJECT = r"system:serviceaccount:[a-z0-9-]+:[a-z0-9.-]+"


def _plans_are_on(deployment: Resource) -> Iterator[str]:
    for found in items(deployment.at("properties", "template", "resources")):
        if text(at(found, "type")).lower() != "microsoft.security/pricings":
            continue
        tier = at(found, "properties", "pricingTier")
        if tier is not UNKNOWN and tier != "Standard":
            yield f"the plan's pricingTier is {shown(tier)}, not Standard"


def _recovery(vault: Resource) -> Iterator[str]:
    yield from wants("properties.enablePurgeProtection", True)(vault)
    days = vault.at("properties", "softDeleteRetentionInDays")
    if days is not UNKNOWN and (number(days) or 0) < SHORTEST_RECOVERY_DAYS:
        yield f"properties.softDeleteRetentionInDays is {shown(days)}"


def _vault_network(vault: Resource) -> Iterator[str]:
    closed = vault.at("properties", "publicNetworkAccess")
    default = vault.at("properties", "networkAcls", "defaultAction")
    if closed not in ("Disabled", "disabled", UNKNOWN) and default not in ("Deny", UNKNOWN):
        yield "the vault answers everybody's network"


def _credential(credential: Resource) -> Iterator[str]:
    subject = credential.at("subject")
    if subject is not UNKNOWN and not re.fullmatch(SUBJECT, text(subject)):
        yield f"subject is {shown(subject)}, not one service account"
    audiences = credential.at("audiences")
    if not holds_unknown(audiences) and items(audiences) != ["api://AzureADTokenExchange"]:
        yield "audiences is not api://AzureADTokenExchange alone"


def _modest_role(assignment: Resource) -> Iterator[str]:
    role = text(assignment.at("roleDefinitionId")).rpartition("/")[2].lower()
    if role in MIGHTY_ROLES:
        yield f"the role is {MIGHTY_ROLES[role]}"


def _narrow_scope(assignment: Resource) -> Iterator[str]:
    scope = text(assignment.at("scope"))
    if scope and re.fullmatch(WIDE_SCOPE, scope, re.IGNORECASE):
        yield f"scope is {shown(scope)}: a whole subscription, or more"


def _no_wildcard(definition: Resource) -> Iterator[str]:
    for permission in items(definition.at("permissions")):
        for kind in ("actions", "dataActions"):
            for action in items(at(permission, kind)):
                if "*" in text(action):
                    yield f"permissions hold {action}"


def _kept(resource: Resource) -> Iterator[str]:
    if not resource.protect:
        yield "the resource is not protected from deletion"


RULES: tuple[AnyRule, ...] = (
    ResourceRule(
        name="key-vault-rbac", types=(VAULT,),
        description="Azure role assignments decide who reads the vault",
        severity=Severity.HIGH,
        remediation="Set enable_rbac_authorization=True",
        sources=(azure("Key Vault RBAC", "key-vault/general/rbac-guide"),),
        check=wants("properties.enableRbacAuthorization", True),
    ),
    ResourceRule(
        name="key-vault-recovery", types=(VAULT,),
        description="In production deleted secrets can be had back",
        severity=Severity.HIGH,
        remediation="Set security.key_vault.purge_protection: true",
        sources=(checkov("CKV_AZURE_110"), checkov("CKV_AZURE_42")),
        check=_recovery, level=EnforcementLevel.ADVISORY, production_only=True,
    ),
    ResourceRule(
        name="key-vault-network", types=(VAULT,),
        description="In production the vault is reached from known networks alone",
        severity=Severity.MEDIUM,
        remediation="Set security.key_vault.private: true",
        sources=(checkov("CKV_AZURE_109"), checkov("CKV_AZURE_189")),
        check=_vault_network, level=EnforcementLevel.ADVISORY, production_only=True,
    ),
    ResourceRule(
        name="federated-credential-one-account", types=(CREDENTIAL,),
        description="A federated credential stands for exactly one service account",
        severity=Severity.HIGH,
        remediation="Set subject to system:serviceaccount:<namespace>:<name>",
        sources=(aks("workload-identity-overview"),),
        check=_credential,
    ),
    ResourceRule(
        name="role-assignment-modest", types=(ASSIGNMENT,),
        description="Nobody gets Owner, Contributor or the right to assign roles",
        severity=Severity.CRITICAL,
        remediation="Assign the narrowest built-in role, or the stack's custom one",
        sources=(azure("RBAC best practices", "role-based-access-control/best-practices"),),
        check=_modest_role,
    ),
    ResourceRule(
        name="role-assignment-narrow", types=(ASSIGNMENT,),
        description="No role holds for a whole subscription or management group",
        severity=Severity.HIGH,
        remediation="Assign the role on the resource, or on the resource group",
        sources=(azure("RBAC best practices", "role-based-access-control/best-practices"),),
        check=_narrow_scope,
    ),
    ResourceRule(
        name="role-assignment-principal-type", types=(ASSIGNMENT,),
        description="A role assignment says what its principal is",
        severity=Severity.LOW,
        remediation="Set principal_type; Entra may not know a fresh identity yet",
        sources=(azure("RBAC troubleshooting", "role-based-access-control/troubleshooting"),),
        check=wants("principalType", "ServicePrincipal", "Group", "User"),
    ),
    ResourceRule(
        name="custom-role-no-wildcard", types=(DEFINITION,),
        description="A custom role names its actions",
        severity=Severity.HIGH,
        remediation="List the actions one by one",
        sources=(checkov("CKV_AZURE_39"),),
        check=_no_wildcard,
    ),
    ResourceRule(
        name="defender-plan-standard", types=(DEPLOYMENT,),
        description="A Defender plan that the stack owns is on",
        severity=Severity.HIGH,
        remediation='Set pricingTier to "Standard"',
        sources=(
            azure("Defender for Containers",
                  "defender-for-cloud/defender-for-containers-introduction"),
        ),
        check=_plans_are_on,
    ),
    ResourceRule(
        name="stateful-resource-protected", types=KEPT,
        description="In production nothing that holds data or names can be deleted by mistake",
        severity=Severity.HIGH,
        remediation="Set security.protect: true",
        sources=(
            azure("resource locks", "azure-resource-manager/management/lock-resources"),
        ),
        check=_kept, production_only=True,
    ),
)  # fmt: skip
