"""The add-ons of an AKS cluster.

AKS takes the names of add-ons and of their options as they are written here, and only so: a
misspelt one is not refused but forgotten. Sources: learn.microsoft.com/azure/aks/integrations and
the add-ons' own pages.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import containerservice as aks

from infra.settings import Settings

CONTAINER_INSIGHTS = "omsagent"
AZURE_POLICY = "azurepolicy"
KEY_VAULT_SECRETS = "azureKeyvaultSecretsProvider"
KUBE_DASHBOARD = "kubeDashboard"


def add_ons(
    settings: Settings, workspace_id: pulumi.Input[str]
) -> dict[str, aks.ManagedClusterAddonProfileArgs]:
    """Each add-on, switched on or off outright, so that what somebody else switched shows."""
    return {
        CONTAINER_INSIGHTS: aks.ManagedClusterAddonProfileArgs(
            enabled=True,
            config={"logAnalyticsWorkspaceResourceID": workspace_id, "useAADAuth": "true"},
        ),
        AZURE_POLICY: _azure_policy(settings),
        KEY_VAULT_SECRETS: _key_vault_secrets(settings),
        # Left behind by Kubernetes long ago; scanners want to read that it is off (CKV_AZURE_8).
        KUBE_DASHBOARD: aks.ManagedClusterAddonProfileArgs(enabled=False),
    }


def _azure_policy(settings: Settings) -> aks.ManagedClusterAddonProfileArgs:
    """Deployment safeguards are policies too and need the same add-on."""
    security = settings.security
    if security.azure_policy == "off" and security.safeguards == "off":
        return aks.ManagedClusterAddonProfileArgs(enabled=False)
    return aks.ManagedClusterAddonProfileArgs(enabled=True, config={"version": "v2"})


def _key_vault_secrets(settings: Settings) -> aks.ManagedClusterAddonProfileArgs:
    vault = settings.security.key_vault
    if not vault.enabled:
        return aks.ManagedClusterAddonProfileArgs(enabled=False)
    return aks.ManagedClusterAddonProfileArgs(
        enabled=True,
        config={
            "enableSecretRotation": "true",
            "rotationPollInterval": f"{vault.rotation_poll_minutes}m",
        },
    )
