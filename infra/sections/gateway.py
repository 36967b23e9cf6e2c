"""Settings of the way in: gateway, certificates, limits, API keys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from infra.sections.base import Address, HostName, MailAddress, Network, ResourceId, Section
from infra.sections.forms import matching

Scope = Literal["faq", "resnet"]
SecretName = Annotated[
    str,
    AfterValidator(
        matching(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", "a name of a Kubernetes secret")
    ),
]
VaultSecretAddress = Annotated[
    str,
    AfterValidator(
        matching(
            r"https://[a-z0-9-]+\.vault\.azure\.net/secrets/[A-Za-z0-9-]+",
            "https://<vault>.vault.azure.net/secrets/<name>, without a version",
        )
    ),
]
KeyName = Annotated[
    str,
    AfterValidator(
        matching(
            r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
            "1 to 64 letters, digits, dots, underscores and hyphens, a letter or digit first",
        )
    ),
]
Sha256 = Annotated[
    str, AfterValidator(matching(r"[0-9a-f]{64}", "64 lower-case hexadecimal digits"))
]


class TlsSettings(Section):
    """Where the certificate comes from."""

    issuer: Literal["acme", "acme-staging", "self-signed", "existing-secret"] = Field(
        default="self-signed",
        description="cert-manager with Let's Encrypt (or its staging service), cert-manager with a "
        "certificate of its own, or a TLS secret that exists already",
    )
    email: MailAddress | None = Field(
        default=None, description="account of the ACME issuer, told before a certificate expires"
    )
    existing_secret: SecretName | None = Field(
        default=None, description="name of the TLS secret in the gateway's namespace"
    )
    minimum_version: Literal["1.2", "1.3"] = Field(
        default="1.2", description="oldest TLS version taken"
    )


class GatewaySettings(Section):
    """The gateway: one public address, TLS, redirect, limits."""

    host_name: HostName = Field(
        default="scoring.example.org", description="name under which the services are reached"
    )
    dns_zone_id: ResourceId | None = Field(
        default=None, description="Azure DNS zone in which the stack keeps host_name's A record"
    )
    tls: TlsSettings = Field(default_factory=TlsSettings, description="certificates")
    allowed_networks: tuple[Network, ...] = Field(
        default=(),
        max_length=100,
        description="networks that may call the gateway; empty for everybody",
    )
    requests_per_minute: int = Field(
        default=600,
        ge=1,
        le=1_000_000,
        description="rate allowed to one client address on each route (faq, resnet, web), for what "
        "reads and for all else apart, at each gateway replica; they do not share their counts: "
        "with three replicas up to three times as much",
    )
    max_body_mib: int = Field(
        default=8, ge=1, le=64, description="largest request body that the gateway passes on"
    )
    request_timeout_seconds: int = Field(
        default=30, ge=1, le=600, description="longest a request may take"
    )
    replicas: int = Field(
        default=1, ge=1, le=20, description="fewest gateway pods; 2 for availability"
    )
    max_replicas: int = Field(default=3, ge=1, le=50, description="most gateway pods")
    web_application_firewall: Literal["off", "detection", "prevention"] = Field(
        default="off",
        description="an Application Gateway with the OWASP rules in front of the gateway",
    )
    firewall_certificate_id: VaultSecretAddress | None = Field(
        default=None, description="address of the Key Vault secret with the firewall's certificate"
    )
    firewall_certificate_vault_id: ResourceId | None = Field(
        default=None,
        description="resource id of that key vault, on which the firewall gets read access",
    )
    internal_address: Address = Field(
        default="10.40.3.250",
        description="the gateway's address behind the firewall, inside network.nodes_subnet",
    )


class ApiKeySettings(Section):
    """One client's API key: only its hash is ever known to the stack."""

    name: KeyName = Field(description="who uses the key, as logs and metrics name it")
    sha256: Sha256 = Field(
        # Somebody who writes the key itself here must not find it in a log.
        repr=False,
        description="SHA-256 of the key, as `python -m services.serving keys add` writes it into its file",
    )
    scopes: tuple[Scope, ...] = Field(min_length=1, description="services the key is for")
    expires: AwareDatetime | None = Field(
        default=None, description="after this time the key is refused"
    )
    requests_per_second: float | None = Field(
        default=None, gt=0, description="rate allowed to the key; null for the service's own"
    )
