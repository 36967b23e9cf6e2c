"""The name under which the services are reached, in a DNS zone that exists already."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

TTL_SECONDS = 300
"""How long others may remember the address: short enough for a move to a new one."""


@dataclass(frozen=True)
class DnsRecordArgs:
    """What :class:`DnsRecord` needs.

    Attributes:
        zone_id: resource id of the DNS zone.
        host_name: the whole name, inside that zone.
        address: where it leads.
    """

    zone_id: str
    host_name: str
    address: pulumi.Input[str]


class DnsRecord(pulumi.ComponentResource):
    """An A record.

    Attributes:
        host_name: the whole name.
    """

    host_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: DnsRecordArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:DnsRecord", name, None, opts)
        # /subscriptions/…/resourceGroups/GROUP/providers/Microsoft.Network/dnsZones/ZONE
        parts = args.zone_id.split("/")
        zone = parts[-1].lower()
        azure.dns.RecordSet(
            f"{name}-record",
            resource_group_name=parts[4],
            zone_name=zone,
            record_type="A",
            relative_record_set_name=_name_in(zone, args.host_name),
            ttl=TTL_SECONDS,
            a_records=[azure.dns.ARecordArgs(ipv4_address=args.address)],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.host_name = pulumi.Output.from_input(args.host_name)
        self.register_outputs({"host_name": self.host_name})


def _name_in(zone: str, host_name: str) -> str:
    """The host's name as the zone writes it, where @ is the zone's own name."""
    return "@" if host_name == zone else host_name.removesuffix(f".{zone}")
