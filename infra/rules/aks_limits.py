"""Rules of address ranges that AKS and Azure have by themselves.

Sources: learn.microsoft.com/azure/aks/concepts-network-cni-overlay (each node gets a /24 of the pod
range), learn.microsoft.com/azure/aks/configure-azure-cni (reserved ranges, size of the service
range), learn.microsoft.com/azure/virtual-network/virtual-networks-faq (smallest subnet),
learn.microsoft.com/azure/application-gateway/configuration-infrastructure (its subnet).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING

from infra.mistakes import Mistake
from infra.rules.choices import pools_of

if TYPE_CHECKING:
    from infra.settings import Settings

RESERVED = tuple(
    ipaddress.IPv4Network(each)
    for each in ("169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24")
)
NODE_PREFIX = 24
LARGEST_SERVICE_PREFIX = 13
"""The service range must be smaller than a /12."""
SMALLEST_SUBNET = 29
SMALLEST_GATEWAY_SUBNET = 26


def aks_limits(settings: Settings) -> Iterator[Mistake]:
    """Ranges that Azure would refuse after minutes of work."""
    network = settings.network
    for key in ("address_space", "pod_range", "service_range"):
        own = ipaddress.IPv4Network(getattr(network, key))
        for reserved in RESERVED:
            if own.overlaps(reserved):
                yield Mistake(
                    f"network.{key}", f"{own} overlaps {reserved}, which AKS keeps for itself",
                    "a range apart from " + ", ".join(map(str, RESERVED)),
                )  # fmt: skip
    services = ipaddress.IPv4Network(network.service_range)
    if services.prefixlen < LARGEST_SERVICE_PREFIX:
        yield Mistake(
            "network.service_range", f"{services} is too large for AKS", "smaller than a /12"
        )
    for key, longest in _subnets(settings).items():
        subnet = ipaddress.IPv4Network(getattr(network, key))
        if subnet.prefixlen > longest:
            yield Mistake(
                f"network.{key}", f"{subnet} is too small for Azure", f"at least a /{longest}"
            )
    yield from _room_for_pods(settings)


def _subnets(settings: Settings) -> dict[str, int]:
    """The longest prefix of each subnet that the stack makes."""
    if settings.network.existing_nodes_subnet_id is not None:
        return {}
    subnets = {"nodes_subnet": SMALLEST_SUBNET, "endpoints_subnet": SMALLEST_SUBNET}
    if settings.gateway.web_application_firewall != "off":
        subnets["gateway_subnet"] = SMALLEST_GATEWAY_SUBNET
    return subnets


def _room_for_pods(settings: Settings) -> Iterator[Mistake]:
    """The overlay gives every node 256 addresses at once, and upgrades add nodes for a while."""
    pods = ipaddress.IPv4Network(settings.network.pod_range)
    room = 2 ** (NODE_PREFIX - pods.prefixlen) if pods.prefixlen <= NODE_PREFIX else 0
    most = sum(2 * pool.max_nodes for _, pool in pools_of(settings))
    if most > room:
        yield Mistake(
            "network.pod_range", f"{pods} has room for {room} nodes, each with a /{NODE_PREFIX}",
            f"room for {most} nodes: each pool's max_nodes twice, for upgrades",
            tuple(f"cluster.{name}.max_nodes" for name, _ in pools_of(settings)),
        )  # fmt: skip
