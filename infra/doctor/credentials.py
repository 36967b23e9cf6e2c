"""The identity with which `pulumi up` would sign in to Azure.

Pulumi takes a service principal or a managed identity from ``ARM_*`` variables, and else whoever is
signed in with `az` (www.pulumi.com/registry/packages/azure-native/installation-configuration).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def credential(tenant_id: str | None, environment: Mapping[str, str]) -> Any:
    """A credential of azure-identity; no token is asked for yet."""
    import azure.identity as identity

    tenant = environment.get("ARM_TENANT_ID") or tenant_id or ""
    client = environment.get("ARM_CLIENT_ID")
    if client and tenant and environment.get("ARM_CLIENT_SECRET"):
        return identity.ClientSecretCredential(tenant, client, environment["ARM_CLIENT_SECRET"])
    if client and tenant and _is_on(environment.get("ARM_USE_OIDC")):
        if token := environment.get("ARM_OIDC_TOKEN"):
            return identity.ClientAssertionCredential(tenant, client, lambda: token)
        if file := environment.get("ARM_OIDC_TOKEN_FILE_PATH"):
            return identity.ClientAssertionCredential(
                tenant, client, lambda: Path(file).read_text(encoding="utf-8").strip()
            )
    if _is_on(environment.get("ARM_USE_MSI")):
        return identity.ManagedIdentityCredential(client_id=client)
    return identity.AzureCliCredential(tenant_id=tenant)


def _is_on(value: str | None) -> bool:
    return (value or "").lower() in ("true", "1")
