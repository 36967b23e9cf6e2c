"""Peerings of the stack's network with those from which its private parts are reached."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_azure_native as azure

from infra.azure.place import Place


def peer_with(
    name: str,
    place: Place,
    network: azure.network.VirtualNetwork,
    others: Sequence[str],
    parent: pulumi.Resource,
) -> None:
    """Declare this side of the peerings; the other side is its owner's.

    Until both sides are there a peering is `Initiated` and carries nothing
    (learn.microsoft.com/azure/virtual-network/virtual-network-peering-overview).

    Args:
        name: first part of the resources' names.
        place: where they go.
        network: the stack's network.
        others: ids of the networks to peer with.
        parent: the component that declares it.
    """
    for number, other in enumerate(others, start=1):
        peering = azure.network.VirtualNetworkPeering(
            f"{name}-{number}",
            virtual_network_peering_name=f"{other.rsplit('/', 1)[-1]}-{number}",
            virtual_network_name=network.name,
            resource_group_name=place.resource_group_name,
            remote_virtual_network=azure.network.SubResourceArgs(id=other),
            allow_virtual_network_access=True,
            # Nobody's traffic passes through this network to somewhere else.
            allow_forwarded_traffic=False,
            allow_gateway_transit=False,
            use_remote_gateways=False,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        place.locks.hold_back(peering)
