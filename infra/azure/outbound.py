"""The way out: a NAT gateway with addresses that stay the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.place import Place
from infra.azure.public_address import known_address, static_address
from infra.sections.network import NatSettings


@dataclass(frozen=True)
class OutboundArgs:
    """What :class:`Outbound` needs.

    Attributes:
        place: where it goes.
        settings: number of addresses, idle timeout.
        zones: availability zones of the stack.
        workspace_id: where logs go.
    """

    place: Place
    settings: NatSettings
    zones: Sequence[str]
    workspace_id: pulumi.Input[str]


class Outbound(pulumi.ComponentResource):
    """A NAT gateway.

    Attributes:
        id: resource id of the NAT gateway.
        addresses: its public addresses, for other people's lists of who may call.
    """

    id: pulumi.Output[str]
    addresses: Sequence[pulumi.Output[str]]

    def __init__(
        self, name: str, args: OutboundArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:Outbound", name, None, opts)
        place = args.place
        public_ips = [
            static_address(
                f"{name}-address-{number}",
                place,
                ("outbound", str(number)),
                zones=args.zones,
                workspace_id=args.workspace_id,
                parent=self,
            )
            for number in range(1, args.settings.public_ips + 1)
        ]
        gateway = azure.network.NatGateway(
            f"{name}-gateway",
            nat_gateway_name=place.naming.resource("ng"),
            resource_group_name=place.resource_group_name,
            location=place.location,
            sku=azure.network.NatGatewaySkuArgs(name=azure.network.NatGatewaySkuName.STANDARD),
            idle_timeout_in_minutes=args.settings.idle_timeout_minutes,
            public_ip_addresses=[
                azure.network.SubResourceArgs(id=public_ip.id) for public_ip in public_ips
            ],
            # A NAT gateway lives in one zone or in none, never across several; with none Azure
            # chooses one (learn.microsoft.com/azure/nat-gateway/nat-availability-zones).
            zones=list(args.zones) if len(args.zones) == 1 else None,
            tags=place.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = gateway.id
        self.addresses = [known_address(public_ip) for public_ip in public_ips]
        self.register_outputs({"id": self.id, "addresses": self.addresses})
