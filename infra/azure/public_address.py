"""The one public address under which the services are reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_azure_native as azure

from infra.azure.diagnostics import send_diagnostics
from infra.azure.place import Place


@dataclass(frozen=True)
class PublicAddressArgs:
    """What :class:`PublicAddress` needs.

    Attributes:
        place: where it goes.
        zones: availability zones that hold the address.
        ddos: protection from floods: none, of the address alone, or by the network's plan.
        workspace_id: where logs of attacks go.
    """

    place: Place
    zones: Sequence[str]
    ddos: Literal["none", "ip", "plan"]
    workspace_id: pulumi.Input[str]


class PublicAddress(pulumi.ComponentResource):
    """A static public IPv4 address, of the gateway's load balancer or of the firewall.

    It belongs to the stack, not to the cluster, so that a new cluster keeps the old address.

    Attributes:
        id: resource id.
        name: name of the resource, by which a Kubernetes service asks for it.
        ip_address: the address itself.
    """

    id: pulumi.Output[str]
    name: pulumi.Output[str]
    ip_address: pulumi.Output[str]

    def __init__(
        self, name: str, args: PublicAddressArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:PublicAddress", name, None, opts)
        address = static_address(
            f"{name}-address",
            args.place,
            (name,),
            zones=args.zones,
            workspace_id=args.workspace_id,
            parent=self,
            idle_timeout_minutes=4,
            ddos=azure.network.DdosSettingsArgs(protection_mode=_protection(args.ddos)),
        )
        self.id = address.id
        self.name = address.name
        self.ip_address = known_address(address)
        self.register_outputs({"id": self.id, "name": self.name, "ip_address": self.ip_address})


def _protection(
    ddos: Literal["none", "ip", "plan"],
) -> azure.network.DdosSettingsProtectionMode:
    """Enabled without a plan is DDoS IP Protection, paid for each address.

    A plan comes with the virtual network, and so does its absence: Disabled would also switch off
    the plan of a network that others made
    (learn.microsoft.com/azure/ddos-protection/ddos-protection-sku-comparison).
    """
    modes = azure.network.DdosSettingsProtectionMode
    return modes.ENABLED if ddos == "ip" else modes.VIRTUAL_NETWORK_INHERITED


def static_address(
    name: str,
    place: Place,
    parts: Sequence[str],
    *,
    zones: Sequence[str],
    workspace_id: pulumi.Input[str],
    parent: pulumi.Resource,
    idle_timeout_minutes: int | None = None,
    ddos: azure.network.DdosSettingsArgs | None = None,
) -> azure.network.PublicIPAddress:
    """Declare a public IPv4 address that stays the same: kept, locked and logged.

    Args:
        name: Pulumi name of the address.
        place: where it goes.
        parts: last parts of its name in Azure.
        zones: availability zones that hold it.
        workspace_id: where its logs go.
        parent: the component that declares it.
        idle_timeout_minutes: of connections without traffic; Azure's own where None.
        ddos: protection from floods; Azure's own where None.
    """
    address = azure.network.PublicIPAddress(
        name,
        public_ip_address_name=place.naming.resource("pip", *parts),
        resource_group_name=place.resource_group_name,
        location=place.location,
        sku=azure.network.PublicIPAddressSkuArgs(
            name=azure.network.PublicIPAddressSkuName.STANDARD,
            tier=azure.network.PublicIPAddressSkuTier.REGIONAL,
        ),
        public_ip_allocation_method=azure.network.IPAllocationMethod.STATIC,
        public_ip_address_version=azure.network.IPVersion.I_PV4,
        idle_timeout_in_minutes=idle_timeout_minutes,
        ddos_settings=ddos,
        zones=list(zones) or None,
        tags=place.tags,
        opts=place.keep(parent),
    )
    place.locks.put_on(name, address)
    send_diagnostics(name, place, address, workspace_id, parent=parent)
    return address


def known_address(address: azure.network.PublicIPAddress) -> pulumi.Output[str]:
    """A static address is given when it is made; the SDK's type allows for dynamic ones too."""
    return address.ip_address.apply(lambda value: value or "")
