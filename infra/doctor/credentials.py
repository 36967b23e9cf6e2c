"""The identity with which `pulumi up` would sign in to Azure.

Pulumi takes a service principal or a managed identity from ``ARM_*`` variables, and else whoever is
signed in with `az` (www.pulumi.com/registry/packages/azure-native/installation-configuration).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.doctor.answers import NotSignedIn


@dataclass(frozen=True)
class LazyCredential:
    """Made when a token is first asked for: what is wrong with it is then a finding like others.

    Attributes:
        tenant_id: the stack's.
        environment: has the variables.
    """

    tenant_id: str | None
    environment: Mapping[str, str] = field(repr=False)

    def get_token(self, *scopes: str, **options: Any) -> Any:
        """A token, as azure-identity gives them.

        Raises:
            NotSignedIn: when the variables name no identity.
        """
        return self._credential.get_token(*scopes, **options)

    @cached_property
    def _credential(self) -> Any:
        return credential(self.tenant_id, self.environment)


def credential(tenant_id: str | None, environment: Mapping[str, str]) -> Any:
    """A credential of azure-identity; no token is asked for yet.

    Raises:
        NotSignedIn: when a variable cannot be what it should.
    """
    import azure.identity as identity

    tenant = _tenant(environment) or tenant_id or ""
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


def _tenant(environment: Mapping[str, str]) -> str:
    """An id or a domain; anything else would be a bare ValueError of azure-identity."""
    tenant = environment.get("ARM_TENANT_ID", "")
    if not re.fullmatch(r"[A-Za-z0-9.-]*", tenant):
        raise NotSignedIn(
            "ARM_TENANT_ID is no tenant id",
            "unset ARM_TENANT_ID, or set it to the stack's tenant_id",
        )
    return tenant


def _is_on(value: str | None) -> bool:
    return (value or "").lower() in ("true", "1")
