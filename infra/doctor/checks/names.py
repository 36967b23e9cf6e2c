"""Whether the names that all of Azure shares are free, or the stack's own already."""

from __future__ import annotations

from collections.abc import Iterator

from infra.doctor.azure import Azure
from infra.doctor.findings import Finding, failed, ok
from infra.doctor.needs import Needs

OURS = "is this stack's own"
FREE = "is free"
ANOTHER_NAME = "pulumi config set name …: the names are made of it, of the stack's name and the ids"


def look_at_names(needs: Needs, region: str, azure: Azure) -> Iterator[Finding]:
    """Registry, key vault and storage accounts."""
    for registry in needs.registries:
        subject = f"registry {registry.name}"
        if azure.has_registry(registry.resource_group, registry.name):
            yield ok(subject, OURS)
        else:
            yield _name(subject, azure.registry_name_taken(registry.name))
    for vault in needs.vaults:
        subject = f"key vault {vault.name}"
        if azure.has_vault(vault.resource_group, vault.name):
            yield ok(subject, OURS)
        elif azure.is_deleted_vault(region, vault.name):
            yield failed(
                subject,
                "was deleted, and holds its name until it is purged",
                f"az keyvault recover --name {vault.name} --location {region}, then pulumi import "
                "(docs/operations.md); without purge protection: az keyvault purge",
            )
        else:
            yield _name(subject, azure.vault_name_taken(vault.name))
    for account in needs.storage_accounts:
        subject = f"storage account {account.name}"
        if azure.has_storage_account(account.resource_group, account.name):
            yield ok(subject, OURS)
        else:
            yield _name(subject, azure.storage_name_taken(account.name))


def _name(subject: str, taken: str | None) -> Finding:
    return ok(subject, FREE) if taken is None else failed(subject, taken, ANOTHER_NAME)
