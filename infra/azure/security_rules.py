"""Who may reach which subnet: the rules of the network security groups.

Azure's own rules come after these: traffic inside the network and probes of load balancers are
let in, all else is refused
(learn.microsoft.com/azure/virtual-network/network-security-groups-overview).
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi_azure_native as azure

WEB_PORTS = ("80", "443")
"""Port 80 only answers ACME challenges and redirects to 443."""


def of_nodes(web_clients: str, destination: str) -> list[azure.network.SecurityRuleArgs]:
    """Of the nodes: HTTP and HTTPS for the gateway's load balancer, from its clients.

    Args:
        web_clients: a service tag such as Internet, or the firewall's subnet.
        destination: where the load balancer listens. It hands packets on as it got them, so that
            they still carry the balancer's own address when the rule sees them.
    """
    return [_allow("allow-web", 100, web_clients, destination, WEB_PORTS)]


def of_endpoints(subnet: str) -> list[azure.network.SecurityRuleArgs]:
    """Of private endpoints: HTTPS from inside the network, and nothing else from there."""
    return [
        _allow("allow-https", 100, "VirtualNetwork", subnet, ("443",)),
        azure.network.SecurityRuleArgs(
            name="deny-network",
            description="Azure's own rule would let all of the network in",
            priority=4096,
            access=azure.network.SecurityRuleAccess.DENY,
            direction=azure.network.SecurityRuleDirection.INBOUND,
            protocol=azure.network.SecurityRuleProtocol.ASTERISK,
            source_address_prefix="VirtualNetwork",
            source_port_range="*",
            destination_address_prefix="*",
            destination_port_range="*",
        ),
    ]


def of_firewall() -> list[azure.network.SecurityRuleArgs]:
    """Of the web application firewall's gateway.

    Application Gateway v2 is managed from outside by ports 65200 to 65535, and stops working
    without them (learn.microsoft.com/azure/application-gateway/configuration-infrastructure).
    """
    return [
        _allow("allow-web", 100, "Internet", "*", WEB_PORTS),
        _allow("allow-gateway-manager", 110, "GatewayManager", "*", ("65200-65535",)),
        _allow("allow-probes", 120, "AzureLoadBalancer", "*", ("*",)),
    ]


def _allow(
    name: str, priority: int, source: str, destination: str, ports: Sequence[str]
) -> azure.network.SecurityRuleArgs:
    one = len(ports) == 1  # Azure takes a list of ports only where there are several
    return azure.network.SecurityRuleArgs(
        name=name,
        priority=priority,
        access=azure.network.SecurityRuleAccess.ALLOW,
        direction=azure.network.SecurityRuleDirection.INBOUND,
        protocol=azure.network.SecurityRuleProtocol.TCP,
        source_address_prefix=source,
        source_port_range="*",
        destination_address_prefix=destination,
        destination_port_range=ports[0] if one else None,
        destination_port_ranges=None if one else list(ports),
    )
