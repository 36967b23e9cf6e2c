"""Rules of address ranges, of networks that exist already, and of the way in."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from infra.mistakes import Mistake
from infra.rules.choices import pools_of

if TYPE_CHECKING:
    from infra.settings import Settings

Mistakes = Iterator[Mistake]


def address_ranges(settings: Settings) -> Mistakes:
    """Ranges that must be apart, and those that must lie inside others."""
    network = settings.network
    inside = ("nodes_subnet", "endpoints_subnet", "gateway_subnet")
    space = ipaddress.IPv4Network(network.address_space)
    subnets = {key: ipaddress.IPv4Network(getattr(network, key)) for key in inside}
    apart = {
        key: ipaddress.IPv4Network(getattr(network, key))
        for key in ("address_space", "pod_range", "service_range")
    }
    for key, subnet in subnets.items():
        if not subnet.subnet_of(space):
            yield Mistake(
                f"network.{key}", f"{subnet} lies outside the virtual network",
                f"a part of network.address_space, {space}", ("network.address_space",),
            )  # fmt: skip
    for group in (subnets, apart):
        for (one, first), (other, second) in combinations(group.items(), 2):
            if first.overlaps(second):
                yield Mistake(
                    f"network.{other}", f"{second} overlaps network.{one}, {first}",
                    "ranges without a common address", (f"network.{one}",),
                )  # fmt: skip
    yield from _dns_address(settings)
    yield from _room_for_nodes(settings, subnets["nodes_subnet"])


def _dns_address(settings: Settings) -> Mistakes:
    network = settings.network
    services = ipaddress.IPv4Network(network.service_range)
    address = ipaddress.IPv4Address(network.dns_service_address)
    taken = (services.network_address, services.network_address + 1, services.broadcast_address)
    if address not in services or address in taken:
        yield Mistake(
            "network.dns_service_address", f"{address} cannot be the DNS service's",
            f"an address of network.service_range, {services}, but not its first two or its last",
            ("network.service_range",),
        )  # fmt: skip


def _room_for_nodes(settings: Settings, subnet: ipaddress.IPv4Network) -> Mistakes:
    """Azure keeps five addresses of a subnet; upgrades add nodes for a while."""
    if settings.network.existing_nodes_subnet_id is not None:
        return
    most = sum(2 * pool.max_nodes for _, pool in pools_of(settings))
    if most + 5 > subnet.num_addresses:
        yield Mistake(
            "network.nodes_subnet", f"{subnet} has {subnet.num_addresses} addresses",
            f"at least {most + 5}: five for Azure, and each pool's max_nodes twice, for upgrades",
            tuple(f"cluster.{name}.max_nodes" for name, _ in pools_of(settings)),
        )  # fmt: skip


def existing_network(settings: Settings) -> Mistakes:
    """What cannot be had with a network that is not the stack's own."""
    network = settings.network
    if network.existing_nodes_subnet_id is None:
        if network.existing_endpoints_subnet_id is not None:
            yield Mistake(
                "network.existing_endpoints_subnet_id", "is set without existing_nodes_subnet_id",
                "both, or neither", ("network.existing_nodes_subnet_id",),
            )  # fmt: skip
        return
    because = ("network.existing_nodes_subnet_id",)
    wants_endpoints = settings.registry.acr.private or settings.security.key_vault.private
    if wants_endpoints and network.existing_endpoints_subnet_id is None:
        yield Mistake(
            "network.existing_endpoints_subnet_id", "is missing",
            "a subnet for the private endpoints that registry.acr or security.key_vault ask for",
            (*because, "registry.acr.private", "security.key_vault.private"),
        )  # fmt: skip
    if network.ddos.protection == "plan":
        yield Mistake(
            "network.ddos.protection", "plan belongs to a virtual network that the stack makes",
            "none or ip with an existing network", because,
        )  # fmt: skip
    if network.peered_network_ids:
        yield Mistake(
            "network.peered_network_ids", "is set with an existing network",
            "nothing: its peerings and DNS belong to whoever keeps that network", because,
        )  # fmt: skip
    if network.flow_logs.enabled:
        yield Mistake(
            "network.flow_logs.enabled", "true with an existing network", "false", because
        )
    if settings.gateway.web_application_firewall != "off":
        yield Mistake(
            "gateway.web_application_firewall", "needs a subnet that the stack makes",
            "off with an existing network", because,
        )  # fmt: skip


def ddos(settings: Settings) -> Mistakes:
    """A plan is used only where the plan protects."""
    ddos = settings.network.ddos
    if ddos.existing_plan_id is not None and ddos.protection != "plan":
        yield Mistake(
            "network.ddos.existing_plan_id", f"is set, and protection is {ddos.protection}",
            "protection: plan", ("network.ddos.protection",),
        )  # fmt: skip


def gateway(settings: Settings) -> Mistakes:
    """Certificates, time limits and API keys of the way in."""
    gateway = settings.gateway
    tls = gateway.tls
    if tls.issuer.startswith("acme") and tls.email is None:
        yield Mistake("gateway.tls.email", "is missing", "the ACME account's mail address",
                      ("gateway.tls.issuer",))  # fmt: skip
    if (tls.issuer == "existing-secret") != (tls.existing_secret is not None):
        yield Mistake(
            "gateway.tls.existing_secret", f"does not go with issuer {tls.issuer}",
            "a secret's name with issuer existing-secret, and nothing else",
            ("gateway.tls.issuer",),
        )  # fmt: skip
    if gateway.replicas > gateway.max_replicas:
        yield Mistake(
            "gateway.replicas", f"{gateway.replicas} is over max_replicas",
            f"at most gateway.max_replicas, {gateway.max_replicas}", ("gateway.max_replicas",),
        )  # fmt: skip
    longest = max((getattr(settings, name).deadline_ms for name in ("faq", "resnet")), default=0)
    if gateway.request_timeout_seconds * 1000 < longest:
        yield Mistake(
            "gateway.request_timeout_seconds",
            f"{gateway.request_timeout_seconds} s is shorter than a service's deadline",
            f"at least {-(-longest // 1000)}", ("faq.deadline_ms", "resnet.deadline_ms"),
        )  # fmt: skip
    yield from _firewall(settings)
    yield from _dns_zone(settings)
    # The page's own key joins the file under the page's name.
    taken = {"web"} if settings.web.enabled else set[str]()
    for place, name in enumerate(key.name for key in settings.api_keys):
        if name in taken:
            yield Mistake(f"api_keys[{place}].name", f'"{name}" is there already', "one key a name")
        taken.add(name)


def _dns_zone(settings: Settings) -> Mistakes:
    key, host_name = "gateway.dns_zone_id", settings.gateway.host_name
    if settings.gateway.dns_zone_id is None:
        return
    _, _, subscription, _, _, _, *kind, zone = settings.gateway.dns_zone_id.lower().split("/")
    if kind != ["microsoft.network", "dnszones"]:
        yield Mistake(key, "is no public DNS zone", "…/providers/Microsoft.Network/dnsZones/ZONE")
    elif host_name != zone and not host_name.endswith(f".{zone}"):
        yield Mistake(
            "gateway.host_name", f"{host_name} lies outside the DNS zone", f"a name in {zone}",
            (key,),
        )  # fmt: skip
    if settings.subscription_id is not None and subscription != settings.subscription_id:
        yield Mistake(
            key, f"lies in subscription {subscription}", "a zone in subscription_id",
            ("subscription_id",),
        )  # fmt: skip


def _firewall(settings: Settings) -> Mistakes:
    gateway = settings.gateway
    if gateway.web_application_firewall == "off":
        return
    because = ("gateway.web_application_firewall",)
    for key in ("firewall_certificate_id", "firewall_certificate_vault_id"):
        if getattr(gateway, key) is None:
            yield Mistake(f"gateway.{key}", "is missing", "the firewall ends TLS with it", because)
    if gateway.tls.issuer in ("self-signed", "acme-staging"):
        yield Mistake(
            "gateway.tls.issuer", f"{gateway.tls.issuer} is not trusted by the firewall in front",
            "acme, or existing-secret with a public authority's certificate", because,
        )  # fmt: skip
    yield from _internal_address(settings)


def _internal_address(settings: Settings) -> Mistakes:
    """Azure keeps a subnet's first four addresses and its last for itself.

    Source: learn.microsoft.com/azure/virtual-network/virtual-networks-faq
    """
    key = "gateway.internal_address"
    because = ("network.nodes_subnet", "gateway.web_application_firewall")
    address = ipaddress.IPv4Address(settings.gateway.internal_address)
    subnet = ipaddress.IPv4Network(settings.network.nodes_subnet)
    if address not in subnet:
        yield Mistake(
            key, f"{address} lies outside the nodes' subnet",
            f"a free address of network.nodes_subnet, {subnet}", because,
        )  # fmt: skip
    elif int(address) - int(subnet.network_address) < 4 or address == subnet.broadcast_address:
        yield Mistake(
            key, f"{address} is kept by Azure",
            f"an address of network.nodes_subnet, {subnet}, but not its first four or its last",
            because,
        )  # fmt: skip
