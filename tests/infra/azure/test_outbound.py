from __future__ import annotations

from infra.azure.outbound import Outbound, OutboundArgs
from infra.azure.place import Place
from infra.recording import Recording
from infra.sections.network import NatSettings
from tests.infra.azure.locking import record_with_locks


def declared(place: Place, *zones: str, public_ips: int = 1, minutes: int = 4) -> Recording:
    settings = NatSettings(public_ips=public_ips, idle_timeout_minutes=minutes)
    return record_with_locks(
        place,
        lambda: Outbound(
            "outbound", OutboundArgs(place, settings, zones, workspace_id="workspace")
        ),
    )


def test_it_has_as_many_addresses_as_asked_for(place: Place) -> None:
    recording = declared(place, public_ips=3)
    addresses = recording.of_type(":PublicIPAddress")
    assert [address.inputs["publicIpAddressName"] for address in addresses] == [
        "pip-scoring-test-outbound-1",
        "pip-scoring-test-outbound-2",
        "pip-scoring-test-outbound-3",
    ]
    assert recording.one(":NatGateway").inputs["publicIpAddresses"] == [
        {"id": f"<output of {address.urn}.id>"} for address in addresses
    ]


def test_addresses_stay_the_same(place: Place) -> None:
    recording = declared(place)
    address = recording.one(":PublicIPAddress")
    assert address.inputs["publicIPAllocationMethod"] == "Static"
    assert address.inputs["sku"] == {"name": "Standard", "tier": "Regional"}
    assert address.options.protect
    assert (
        recording.one(":ManagementLockByScope").inputs["scope"] == f"<output of {address.urn}.id>"
    )


def test_it_lives_in_the_only_zone_or_in_none(place: Place) -> None:
    assert "zones" not in declared(place).one(":NatGateway").inputs
    assert declared(place, "2").one(":NatGateway").inputs["zones"] == ["2"]
    assert "zones" not in declared(place, "1", "2", "3").one(":NatGateway").inputs


def test_its_addresses_survive_the_loss_of_a_zone(place: Place) -> None:
    address = declared(place, "1", "2", "3").one(":PublicIPAddress")
    assert address.inputs["zones"] == ["1", "2", "3"]


def test_idle_connections_last_as_long_as_asked_for(place: Place) -> None:
    assert declared(place, minutes=30).one(":NatGateway").inputs["idleTimeoutInMinutes"] == 30
