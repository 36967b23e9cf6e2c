"""Behind the web application firewall: whose X-Forwarded-For is believed."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator

import pytest

from tests.gateway.clients import Client
from tests.gateway.conftest import Serve
from tests.gateway.echo import Echo
from tests.gateway.served import ServedGateway

FIREWALL = "127.0.200.1"
FIREWALLS_SUBNET = "127.0.200.0/24"
SOMEBODY = "127.0.201.1"
PER_MINUTE = 10
VAULT = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers"
    "/Microsoft.KeyVault/vaults/vault"
)
SETTINGS = {
    "gateway": {
        "requests_per_minute": PER_MINUTE,
        "allowed_networks": ["203.0.113.0/24"],
        "web_application_firewall": "prevention",
        "firewall_certificate_id": "https://vault.vault.azure.net/secrets/certificate",
        "firewall_certificate_vault_id": VAULT,
        "tls": {"issuer": "acme", "email": "ops@example.org", "minimum_version": "1.3"},
    },
    "web": {
        "enabled": True,
        "api_key": "a-key-of-the-web-application",
        "sign_in": {"client_id": "page", "everyone": True},
    },
}


@pytest.fixture(scope="module")
def gateway(serve: Serve, echo: Echo) -> Iterator[ServedGateway]:
    """With a network of this machine in the place of the firewall's subnet."""
    detection = {"xForwardedFor": {"trustedCIDRs": [FIREWALLS_SUBNET]}}
    changes = {"ClientTrafficPolicy": {"clientIPDetection": detection}}
    backends = {"faq": [echo.port], "resnet": [echo.port], "web": [echo.port]}
    with serve(SETTINGS, backends, changes=changes) as gateway:
        yield gateway


def seen_as(gateway: ServedGateway, sender: str, claimed: str) -> int:
    return Client(gateway, sender).get("/", headers={"X-Forwarded-For": claimed}).status_code


def test_the_stack_trusts_the_firewalls_own_subnet(gateway: ServedGateway) -> None:
    """What the fixture puts another network in the place of."""
    (policy,) = gateway.recording.of_type(":ClientTrafficPolicy")
    (subnet,) = policy.inputs["spec"]["clientIPDetection"]["xForwardedFor"]["trustedCIDRs"]
    assert subnet == "10.40.5.0/24"  # network.gateway_subnet, unless the settings say otherwise


@pytest.mark.parametrize(
    ("claimed", "status"),
    [
        ("203.0.113.5", 200),
        ("198.51.100.7", 403),
        ("203.0.113.8, 198.51.100.7", 403),  # only the firewall's own entry, the last
        ("198.51.100.7, 203.0.113.9", 200),
    ],
)
def test_the_firewall_is_believed(gateway: ServedGateway, claimed: str, status: int) -> None:
    assert seen_as(gateway, FIREWALL, claimed) == status


def test_the_firewall_writes_addresses_without_the_ports_that_envoy_does_not_read(
    gateway: ServedGateway,
) -> None:
    """Application Gateway adds `address:port` by itself, by which no client would be known; the
    stack's rewrite puts the bare address in its place."""
    assert seen_as(gateway, FIREWALL, "203.0.113.6:4711") == 403
    (firewall,) = gateway.recording.of_type(":ApplicationGateway")
    rewrites = json.dumps(firewall.inputs["rewriteRuleSets"])
    written = '{"headerName": "X-Forwarded-For", "headerValue": "{var_client_ip}"}'
    assert written in rewrites


def test_nobody_else_is(gateway: ServedGateway) -> None:
    assert seen_as(gateway, SOMEBODY, "203.0.113.5") == 403


def test_each_client_behind_the_firewall_has_its_own_rate(gateway: ServedGateway) -> None:
    answers = [seen_as(gateway, FIREWALL, "203.0.113.50") for _ in range(PER_MINUTE + 2)]
    assert answers[:PER_MINUTE] == [200] * PER_MINUTE
    assert answers[-1] == 429
    assert seen_as(gateway, FIREWALL, "203.0.113.51") == 200


def test_the_firewall_gets_the_version_of_tls_that_it_speaks(gateway: ServedGateway) -> None:
    """1.2, whatever it demands of its own clients."""
    context = Client(gateway, FIREWALL).trust()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Client(gateway, FIREWALL).connect(context) as connection:
        assert connection.version() == "TLSv1.2"
