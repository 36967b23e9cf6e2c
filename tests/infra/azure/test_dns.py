from __future__ import annotations

from collections.abc import Callable

import pytest

from infra.azure.dns import DnsRecord, DnsRecordArgs
from infra.recording import Recording, record_component

ZONE = "/subscriptions/1/resourceGroups/Names/providers/Microsoft.Network/dnsZones/Example.org"


def declared(host_name: str) -> Recording:
    return record_component(lambda: DnsRecord("dns", DnsRecordArgs(ZONE, host_name, "203.0.113.9")))


def test_the_record_is_put_into_the_zone_where_it_lies() -> None:
    record = declared("scoring.example.org").one(":RecordSet").inputs
    assert record["resourceGroupName"] == "Names"
    assert record["zoneName"] == "example.org"
    assert record["recordType"] == "A"
    assert record["aRecords"] == [{"ipv4Address": "203.0.113.9"}]


def test_a_move_to_another_address_takes_minutes() -> None:
    assert declared("scoring.example.org").one(":RecordSet").inputs["ttl"] == 300


@pytest.mark.parametrize(
    ("host_name", "name"),
    [
        ("scoring.example.org", "scoring"),
        ("a.b.example.org", "a.b"),
        ("example.org", "@"),
    ],
)
def test_the_name_is_written_as_the_zone_writes_it(host_name: str, name: str) -> None:
    assert declared(host_name).one(":RecordSet").inputs["relativeRecordSetName"] == name


def test_azure_takes_every_input(azure_faults: Callable[[Recording], list[str]]) -> None:
    assert azure_faults(declared("scoring.example.org")) == []
