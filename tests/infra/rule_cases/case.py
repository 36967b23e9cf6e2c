"""What a case of a rule is, and values that several cases need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SHARED = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers"
SUBNET = f"{SHARED}/Microsoft.Network/virtualNetworks/v/subnets/s"
ELSEWHERE = SUBNET.replace("11111111-1111-1111-1111-111111111111", "9" * 8)
VNET = f"{SHARED}/Microsoft.Network/virtualNetworks/hub"
ZONE = f"{SHARED}/Microsoft.Network/dnsZones/example.org"
DIGEST = f"r.azurecr.io/x@sha256:{'a' * 64}"
KEY = {"name": "a", "sha256": "0" * 64, "scopes": ["faq"]}
QUEUE = {"resnet.scaling.metric": "queue"}
FIREWALL = {
    "gateway.web_application_firewall": "detection",
    "gateway.firewall_certificate_id": "https://kv.vault.azure.net/secrets/c",
    "gateway.firewall_certificate_vault_id": f"{SHARED}/Microsoft.KeyVault/vaults/kv",
    "gateway.tls": {"issuer": "acme", "email": "a@example.org"},
}
LOCAL = {"layers": ["local"]}
SERVICES = {"layers": ["services"], "platform_stack": "o/p/s"}
GPU = {"cluster.gpu_pool": {}}
SIGN_IN = {"client_id": "page", "groups": ["a"]}
PAGE = {"web.enabled": True, "web.api_key": "k", "web.sign_in": SIGN_IN}
USER = {"object_id": "77777777-7777-7777-7777-777777777777"}


@dataclass(frozen=True)
class Case:
    """Changes that break a rule, and changes beside them that make it right again."""

    key: str
    says: str
    breaks: dict[str, Any]
    mends: dict[str, Any]
    prod: bool = False
