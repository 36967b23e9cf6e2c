from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest

from infra.azure.place import Place
from infra.azure.public_address import PublicAddress, PublicAddressArgs
from infra.recording import Recording
from tests.infra.azure.locking import record_with_locks

Protection = Literal["none", "ip", "plan"]


def declared(place: Place, ddos: Protection = "none", zones: tuple[str, ...] = ()) -> Recording:
    args = PublicAddressArgs(place, zones, ddos, workspace_id="workspace")
    return record_with_locks(place, lambda: PublicAddress("gateway", args))


def test_the_address_never_changes(place: Place) -> None:
    address = declared(place).one(":PublicIPAddress").inputs
    assert address["publicIPAllocationMethod"] == "Static"
    assert address["publicIPAddressVersion"] == "IPv4"
    assert address["sku"] == {"name": "Standard", "tier": "Regional"}


def test_the_address_is_kept(place: Place) -> None:
    recording = declared(place)
    address = recording.one(":PublicIPAddress")
    assert address.options.protect
    assert (
        recording.one(":ManagementLockByScope").inputs["scope"] == f"<output of {address.urn}.id>"
    )


def test_the_address_is_in_all_zones_or_in_none(place: Place) -> None:
    assert "zones" not in declared(place).one(":PublicIPAddress").inputs
    zones = declared(place, zones=("1", "2", "3")).one(":PublicIPAddress").inputs["zones"]
    assert zones == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("ddos", "mode"),
    [
        ("none", "VirtualNetworkInherited"),
        ("ip", "Enabled"),
        ("plan", "VirtualNetworkInherited"),
    ],
)
def test_protection_is_paid_for_only_where_it_is_asked_for(
    place: Place, ddos: Protection, mode: str
) -> None:
    address = declared(place, ddos).one(":PublicIPAddress").inputs
    assert address["ddosSettings"] == {"protectionMode": mode}


def test_attacks_are_logged(place: Place) -> None:
    recording = declared(place)
    setting = recording.one(":DiagnosticSetting").inputs
    assert setting["resourceUri"] == f"<output of {recording.one(':PublicIPAddress').urn}.id>"
    assert setting["workspaceId"] == "workspace"


def test_others_learn_id_name_and_address(place: Place) -> None:
    recording = declared(place)
    urn = recording.one(":PublicIPAddress").urn
    assert recording.one("azure:PublicAddress").outputs == {
        "id": f"<output of {urn}.id>",
        "name": "pip-scoring-test-gateway",
        "ip_address": f"<output of {urn}.ipAddress>",
    }


@pytest.mark.parametrize("ddos", ["none", "ip", "plan"])
def test_azure_takes_every_input(
    place: Place, azure_faults: Callable[[Recording], list[str]], ddos: Protection
) -> None:
    assert azure_faults(declared(place, ddos, ("1", "2", "3"))) == []
