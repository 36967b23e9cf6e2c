from __future__ import annotations

import pytest

from infra.azure.identities import ClusterIdentities, ClusterIdentitiesArgs
from infra.azure.place import Place
from infra.azure.roles import MANAGED_IDENTITY_OPERATOR, NETWORK_CONTRIBUTOR
from infra.recording import Recording, record_component
from tests.infra.azure.cluster_side import azure_options

SUBNET = "<subnet>"
ADDRESS = "<address>"


def address_reader(place: Place) -> str:
    return place.naming.stable_guid("role-definition", "address-reader")


def group_of(place: Place) -> str:
    return f"{place.subscription}/resourceGroups/{place.resource_group_name}"


@pytest.fixture
def recording(place: Place) -> Recording:
    return record_component(
        lambda: ClusterIdentities(
            "identities", ClusterIdentitiesArgs(place, SUBNET, ADDRESS), azure_options()
        )
    )


def test_control_plane_and_nodes_have_identities_of_their_own(recording: Recording) -> None:
    names = {r.inputs["resourceName"] for r in recording.of_type(":UserAssignedIdentity")}
    assert names == {"id-scoring-test-control-plane", "id-scoring-test-kubelet"}


def test_control_plane_may_do_four_things_and_nothing_more(
    recording: Recording, place: Place
) -> None:
    kubelet = recording.one(":UserAssignedIdentity", "identities-kubelet")
    granted = {
        (r.inputs["roleDefinitionId"], r.inputs["scope"])
        for r in recording.of_type(":RoleAssignment")
    }
    assert granted == {
        (place.role_definition(MANAGED_IDENTITY_OPERATOR), f"<output of {kubelet.urn}.id>"),
        (place.role_definition(NETWORK_CONTRIBUTOR), SUBNET),
        (place.role_definition(NETWORK_CONTRIBUTOR), ADDRESS),
        (place.role_definition(address_reader(place)), group_of(place)),
    }


def test_the_address_is_found_by_listing_those_of_the_group(
    recording: Recording, place: Place
) -> None:
    role = recording.one(":RoleDefinition")
    (permission,) = role.inputs["permissions"]
    assert permission["actions"] == ["Microsoft.Network/publicIPAddresses/read"]
    assert role.inputs["assignableScopes"] == [group_of(place)]
    finds = recording.one(":RoleAssignment", "identities-control-plane-addresses")
    assert role.urn in finds.options.depends_on


def test_behind_a_firewall_the_control_plane_gets_no_address(place: Place) -> None:
    recording = record_component(
        lambda: ClusterIdentities(
            "identities", ClusterIdentitiesArgs(place, SUBNET, None), azure_options()
        )
    )
    assert len(recording.of_type(":RoleAssignment")) == 2
    assert not recording.of_type(":RoleDefinition")


def test_every_role_is_the_control_planes_as_a_service_principal(recording: Recording) -> None:
    control_plane = recording.one(":UserAssignedIdentity", "identities-control-plane")
    for assignment in recording.of_type(":RoleAssignment"):
        assert assignment.inputs["principalId"] == f"<output of {control_plane.urn}.principalId>"
        assert assignment.inputs["principalType"] == "ServicePrincipal"


def test_identities_are_tagged_and_belong_to_the_component(
    recording: Recording, place: Place
) -> None:
    component = recording.one(":ClusterIdentities")
    for identity in recording.of_type(":UserAssignedIdentity"):
        assert identity.parent == component.urn
        assert identity.inputs["tags"] == place.tags
    assert component.outputs
