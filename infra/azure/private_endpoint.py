"""A private endpoint, with the DNS zone that makes a service's usual name lead to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.place import Place


@dataclass(frozen=True)
class Endpoints:
    """Where private endpoints go.

    Attributes:
        subnet_id: the subnet that gives them their addresses.
        virtual_network_id: the network in which their names are resolved.
        peered_network_ids: other networks in which they are resolved too.
        existing_zone_ids: DNS zones that exist already and are linked by whoever keeps them.
    """

    subnet_id: pulumi.Input[str]
    virtual_network_id: pulumi.Input[str]
    peered_network_ids: Sequence[str] = ()
    existing_zone_ids: Sequence[str] = ()


def required(endpoints: Endpoints | None) -> Endpoints:
    """Those of a service that is private.

    Raises:
        ValueError: when there are none: an open service instead of a private one is no choice.
    """
    if endpoints is None:
        raise ValueError("a private service needs a subnet for its private endpoint")
    return endpoints


@dataclass(frozen=True)
class PrivateEndpointArgs:
    """What :class:`PrivateEndpoint` needs.

    Attributes:
        place: where it goes.
        endpoints: subnet and network.
        service: short name of the service behind it, such as ``registry``.
        resource_id: the service behind it.
        group_id: the part of the service that is reached, such as ``vault``.
        zone_name: the service's private DNS zone
            (learn.microsoft.com/azure/private-link/private-endpoint-dns).
        after: changes of the service that must be over before.
    """

    place: Place
    endpoints: Endpoints
    service: str
    resource_id: pulumi.Input[str]
    group_id: str
    zone_name: str
    after: Sequence[pulumi.Resource] = ()


class PrivateEndpoint(pulumi.ComponentResource):
    """A private endpoint and its DNS.

    Attributes:
        id: resource id of the endpoint.
    """

    id: pulumi.Output[str]

    def __init__(
        self, name: str, args: PrivateEndpointArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:PrivateEndpoint", name, None, opts)
        zone_id = _existing_zone(args) or self._dns_zone(name, args).id
        endpoint = self._endpoint(name, args)
        args.place.locks.hold_back(endpoint)
        azure.network.PrivateDnsZoneGroup(
            f"{name}-dns",
            private_dns_zone_group_name="default",
            private_endpoint_name=endpoint.name,
            resource_group_name=args.place.resource_group_name,
            private_dns_zone_configs=[
                azure.network.PrivateDnsZoneConfigArgs(
                    name=args.zone_name.replace(".", "-"), private_dns_zone_id=zone_id
                )
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = endpoint.id
        self.register_outputs({"id": self.id})

    def _dns_zone(self, name: str, args: PrivateEndpointArgs) -> azure.privatedns.PrivateZone:
        place = args.place
        zone = azure.privatedns.PrivateZone(
            f"{name}-zone",
            private_zone_name=args.zone_name,
            resource_group_name=place.resource_group_name,
            location="global",
            tags=place.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._link(f"{name}-zone-link", args, zone, args.service, args.endpoints.virtual_network_id)
        for number, network_id in enumerate(args.endpoints.peered_network_ids, start=1):
            self._link(
                f"{name}-zone-link-{number}", args, zone, f"{args.service}-{number}", network_id
            )
        return zone

    def _link(
        self,
        name: str,
        args: PrivateEndpointArgs,
        zone: azure.privatedns.PrivateZone,
        part: str,
        network_id: pulumi.Input[str],
    ) -> None:
        """Let a network resolve the zone's names."""
        azure.privatedns.VirtualNetworkLink(
            name,
            virtual_network_link_name=args.place.naming.resource("link", part),
            private_zone_name=zone.name,
            resource_group_name=args.place.resource_group_name,
            location="global",
            registration_enabled=False,
            virtual_network=azure.privatedns.SubResourceArgs(id=network_id),
            tags=args.place.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _endpoint(self, name: str, args: PrivateEndpointArgs) -> azure.network.PrivateEndpoint:
        place = args.place
        return azure.network.PrivateEndpoint(
            f"{name}-endpoint",
            private_endpoint_name=place.naming.resource("pep", args.service),
            resource_group_name=place.resource_group_name,
            location=place.location,
            # Without it Azure names the interface with a random suffix.
            custom_network_interface_name=place.naming.resource("nic", args.service),
            subnet=azure.network.SubnetArgs(id=args.endpoints.subnet_id),
            private_link_service_connections=[
                azure.network.PrivateLinkServiceConnectionArgs(
                    name=args.service,
                    private_link_service_id=args.resource_id,
                    group_ids=[args.group_id],
                )
            ],
            tags=place.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.after)),
        )


def _existing_zone(args: PrivateEndpointArgs) -> str | None:
    """The id of the zone of that name, if there is one already."""
    wanted = f"/privateDnsZones/{args.zone_name}".lower()
    return next(
        (zone for zone in args.endpoints.existing_zone_ids if zone.lower().endswith(wanted)), None
    )
