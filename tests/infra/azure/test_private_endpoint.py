from __future__ import annotations

from typing import Any

import pytest

from infra.azure.place import Place
from infra.azure.private_endpoint import (
    Endpoints,
    PrivateEndpoint,
    PrivateEndpointArgs,
    required,
)
from infra.recording import Recording, record_component


@pytest.fixture
def recording(place: Place) -> Recording:
    args = PrivateEndpointArgs(
        place,
        Endpoints("subnet-id", "network-id"),
        service="vault",
        resource_id="vault-id",
        group_id="vault",
        zone_name="privatelink.vaultcore.azure.net",
    )
    return record_component(lambda: PrivateEndpoint("vault-private", args))


def test_the_endpoint_leads_from_the_subnet_to_the_service(recording: Recording) -> None:
    endpoint: Any = recording.one("network:PrivateEndpoint").inputs
    assert endpoint["subnet"]["id"] == "subnet-id"
    assert endpoint["privateLinkServiceConnections"] == [
        {"name": "vault", "privateLinkServiceId": "vault-id", "groupIds": ["vault"]}
    ]


def test_the_services_usual_name_leads_to_the_endpoint(recording: Recording) -> None:
    zone = recording.one(":PrivateZone")
    group: Any = recording.one(":PrivateDnsZoneGroup").inputs
    assert zone.inputs["privateZoneName"] == "privatelink.vaultcore.azure.net"
    assert group["privateEndpointName"] == "pep-scoring-test-vault"
    assert group["privateDnsZoneConfigs"] == [
        {
            "name": "privatelink-vaultcore-azure-net",
            "privateDnsZoneId": f"<output of {zone.urn}.id>",
        }
    ]


def test_the_name_is_resolved_in_the_network_of_the_nodes(recording: Recording) -> None:
    link = recording.one(":VirtualNetworkLink").inputs
    assert link["virtualNetwork"] == {"id": "network-id"}
    assert link["privateZoneName"] == "privatelink.vaultcore.azure.net"
    assert link["registrationEnabled"] is False


def test_dns_is_not_bound_to_a_region(recording: Recording) -> None:
    assert recording.one(":PrivateZone").inputs["location"] == "global"
    assert recording.one(":VirtualNetworkLink").inputs["location"] == "global"


def test_all_of_it_belongs_to_the_component(recording: Recording) -> None:
    component = recording.one("azure:PrivateEndpoint")
    others = [resource for resource in recording.resources if resource is not component]
    assert {resource.parent for resource in others} == {component.urn}


def test_a_private_service_without_a_subnet_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a subnet"):
        required(None)


def test_peered_networks_resolve_the_name_too(place: Place) -> None:
    endpoints = Endpoints("subnet-id", "network-id", ("hub-id", "office-id"))
    args = PrivateEndpointArgs(place, endpoints, "vault", "vault-id", "vault", "zone.example")
    recording = record_component(lambda: PrivateEndpoint("vault-private", args))
    links: list[Any] = [link.inputs for link in recording.of_type(":VirtualNetworkLink")]
    assert {link["virtualNetwork"]["id"] for link in links} == {"network-id", "hub-id", "office-id"}
    assert len({link["virtualNetworkLinkName"] for link in links}) == 3


def test_a_zone_that_exists_already_is_used_and_not_linked_again(place: Place) -> None:
    zone = (
        "/subscriptions/s/resourceGroups/hub/providers/Microsoft.Network/privateDnsZones/z.example"
    )
    endpoints = Endpoints("subnet-id", "network-id", ("hub-id",), (zone,))
    args = PrivateEndpointArgs(place, endpoints, "vault", "vault-id", "vault", "z.example")
    recording = record_component(lambda: PrivateEndpoint("vault-private", args))
    group: Any = recording.one(":PrivateDnsZoneGroup").inputs
    assert group["privateDnsZoneConfigs"][0]["privateDnsZoneId"] == zone
    assert not recording.of_type(":PrivateZone")
    assert not recording.of_type(":VirtualNetworkLink")
