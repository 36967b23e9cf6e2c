"""The key vault whose secrets pods mount by the CSI driver."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.diagnostics import send_diagnostics
from infra.azure.place import Place
from infra.azure.private_endpoint import (
    Endpoints,
    PrivateEndpoint,
    PrivateEndpointArgs,
    required,
)
from infra.sections.security import KeyVaultSettings

PRIVATE_ZONE = "privatelink.vaultcore.azure.net"
SOFT_DELETE_DAYS = 90
"""How long deleted secrets can be had back: the longest that Azure offers. It cannot be changed
afterwards (learn.microsoft.com/azure/key-vault/general/soft-delete-overview)."""


@dataclass(frozen=True)
class KeyVaultArgs:
    """What :class:`KeyVault` needs.

    Attributes:
        place: where it goes.
        settings: purge protection, and whether it is private.
        endpoints: where its private endpoint goes, where it is private.
        workspace_id: where the audit log goes.
    """

    place: Place
    settings: KeyVaultSettings
    endpoints: Endpoints | None
    workspace_id: pulumi.Input[str]


class KeyVault(pulumi.ComponentResource):
    """A key vault. Who may read it is said by role assignments alone.

    Attributes:
        id: resource id.
        name: name of the vault, by which the CSI driver finds it.
        uri: address of the vault.
    """

    id: pulumi.Output[str]
    name: pulumi.Output[str]
    uri: pulumi.Output[str]

    def __init__(
        self, name: str, args: KeyVaultArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:KeyVault", name, None, opts)
        place = args.place
        vault = azure.keyvault.Vault(
            f"{name}-vault",
            vault_name=place.naming.globally_unique("kv", longest=24),
            resource_group_name=place.resource_group_name,
            location=place.location,
            properties=_properties(args),
            tags=place.tags,
            opts=place.keep(self),
        )
        place.locks.put_on(f"{name}-vault", vault)
        send_diagnostics(
            f"{name}-vault",
            place,
            vault,
            args.workspace_id,
            categories=("AuditEvent",),
            parent=self,
        )
        if args.settings.private:
            PrivateEndpoint(
                f"{name}-private",
                PrivateEndpointArgs(
                    place,
                    required(args.endpoints),
                    service="vault",
                    resource_id=vault.id,
                    group_id="vault",
                    zone_name=PRIVATE_ZONE,
                ),
                pulumi.ResourceOptions(parent=self),
            )
        self.id = vault.id
        self.name = vault.name
        self.uri = pulumi.Output.concat("https://", vault.name, ".vault.azure.net/")
        self.register_outputs({"id": self.id, "name": self.name, "uri": self.uri})


def _properties(args: KeyVaultArgs) -> azure.keyvault.VaultPropertiesArgs:
    return azure.keyvault.VaultPropertiesArgs(
        tenant_id=args.place.tenant_id,
        sku=azure.keyvault.SkuArgs(
            family=azure.keyvault.SkuFamily.A, name=azure.keyvault.SkuName.STANDARD
        ),
        enable_rbac_authorization=True,
        enable_soft_delete=True,
        soft_delete_retention_in_days=SOFT_DELETE_DAYS,
        # Azure refuses an outright false: what was once on stays on.
        enable_purge_protection=True if args.settings.purge_protection else None,
        enabled_for_deployment=False,
        enabled_for_disk_encryption=False,
        enabled_for_template_deployment=False,
        public_network_access="Disabled" if args.settings.private else "Enabled",
        network_acls=_network_rules(args.settings),
    )


def _network_rules(settings: KeyVaultSettings) -> azure.keyvault.NetworkRuleSetArgs:
    """A private vault is closed, but to Azure's own services.

    One that is not is open to every network: `pulumi up` and people who rotate keys come from
    addresses that the stack does not know. What guards it is Entra sign-in and a role for each
    identity; take `private` for more.
    """
    action = azure.keyvault.NetworkRuleAction
    return azure.keyvault.NetworkRuleSetArgs(
        bypass=azure.keyvault.NetworkRuleBypassOptions.AZURE_SERVICES,
        default_action=action.DENY if settings.private else action.ALLOW,
    )
