from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from infra.azure.place import Place
from infra.azure.private_endpoint import Endpoints
from infra.azure.registry import ContainerRegistry, ContainerRegistryArgs
from infra.recording import Recording
from infra.sections.registry import RegistrySettings
from tests.infra.azure.locking import record_with_locks

KUBELET = "33333333-3333-3333-3333-333333333333"
CI = "44444444-4444-4444-4444-444444444444"
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
ACR_PUSH = "8311e382-0749-4cb8-b61a-304f252e45ec"
EXISTING = (
    "/subscriptions/1/resourceGroups/hub/providers/"
    "Microsoft.ContainerRegistry/registries/SharedImages"
)
PREMIUM = {"acr": {"sku": "Premium"}}
PRIVATE = {"acr": {"sku": "Premium", "private": True}}
HUB = {
    "kind": "docker_hub",
    "docker_hub": {"namespace": "acme", "username": "acme-ci", "token": "dckr_pat_x"},
}
ENDPOINTS = Endpoints("subnet", "network")


def declared(
    place: Place,
    settings: dict[str, Any],
    *,
    zones: bool = False,
    pushers: tuple[str, ...] = (CI,),
    endpoints: Endpoints | None = ENDPOINTS,
) -> Recording:
    args = ContainerRegistryArgs(
        place,
        RegistrySettings.model_validate(settings),
        kubelet_principal_id=KUBELET,
        pushers=pushers,
        endpoints=endpoints,
        zone_redundant=zones,
        workspace_id="workspace",
    )
    return record_with_locks(place, lambda: ContainerRegistry("registry", args))


def registry(recording: Recording) -> dict[str, Any]:
    return dict(recording.one(":Registry").inputs)


def grants(recording: Recording) -> set[tuple[object, str, object]]:
    return {
        (grant.inputs["principalId"], str(grant.inputs["roleDefinitionId"])[-36:], grant.inputs["scope"])
        for grant in recording.of_type(":RoleAssignment")
    }  # fmt: skip


@pytest.mark.parametrize("sku", ["Basic", "Standard", "Premium"])
def test_nobody_comes_by_password_or_without_a_name(place: Place, sku: str) -> None:
    inputs = registry(declared(place, {"acr": {"sku": sku}}))
    assert inputs["sku"] == {"name": sku}
    assert inputs["adminUserEnabled"] is False
    assert inputs["anonymousPullEnabled"] is False


def test_nodes_may_pull_ci_may_push_and_nothing_else(place: Place) -> None:
    recording = declared(place, {})
    scope = f"<output of {recording.one(':Registry').urn}.id>"
    assert grants(recording) == {(KUBELET, ACR_PULL, scope), (CI, ACR_PUSH, scope)}


def test_without_pushers_nobody_may_push(place: Place) -> None:
    roles = {role for _, role, _ in grants(declared(place, {}, pushers=()))}
    assert roles == {ACR_PULL}


@pytest.mark.parametrize("sku", ["Basic", "Standard"])
def test_smaller_tiers_ask_for_nothing_they_do_not_have(place: Place, sku: str) -> None:
    inputs = registry(declared(place, {"acr": {"sku": sku}}, zones=True))
    assert "policies" not in inputs
    assert "dataEndpointEnabled" not in inputs
    assert "networkRuleSet" not in inputs
    assert inputs["zoneRedundancy"] == "Disabled"
    assert inputs["publicNetworkAccess"] == "Enabled"


def test_premium_survives_the_loss_of_a_zone(place: Place) -> None:
    assert registry(declared(place, PREMIUM))["zoneRedundancy"] == "Disabled"
    assert registry(declared(place, PREMIUM, zones=True))["zoneRedundancy"] == "Enabled"


def test_premium_serves_layers_from_its_own_address(place: Place) -> None:
    assert registry(declared(place, PREMIUM))["dataEndpointEnabled"] is True


def test_untagged_images_are_deleted_where_asked_for(place: Place) -> None:
    settings = {"acr": {"sku": "Premium", "untagged_retention_days": 7}}
    policies = registry(declared(place, settings))["policies"]
    assert policies["retentionPolicy"] == {"status": "enabled", "days": 7}
    assert "retentionPolicy" not in registry(declared(place, PREMIUM))["policies"]


def test_a_private_registry_is_closed_to_the_internet(place: Place) -> None:
    inputs = registry(declared(place, PRIVATE))
    assert inputs["publicNetworkAccess"] == "Disabled"
    assert inputs["networkRuleSet"] == {"defaultAction": "Deny"}
    assert inputs["networkRuleBypassOptions"] == "AzureServices"
    assert inputs["policies"]["exportPolicy"] == {"status": "disabled"}


def test_a_private_registry_is_reached_by_its_endpoint(place: Place) -> None:
    recording = declared(place, PRIVATE)
    endpoint: Any = recording.one(":PrivateEndpoint", "registry-private-endpoint").inputs
    (connection,) = endpoint["privateLinkServiceConnections"]
    assert connection["groupIds"] == ["registry"]
    assert connection["privateLinkServiceId"] == f"<output of {recording.one(':Registry').urn}.id>"
    assert recording.one(":PrivateZone").inputs["privateZoneName"] == "privatelink.azurecr.io"


def test_a_private_registry_without_a_subnet_is_refused(place: Place) -> None:
    with pytest.raises(ValueError, match="needs a subnet"):
        declared(place, PRIVATE, endpoints=None)


def test_a_public_registry_needs_no_endpoint(place: Place) -> None:
    assert not declared(place, PREMIUM).of_type("network:PrivateEndpoint")


def test_replicas_hold_copies_in_further_regions(place: Place) -> None:
    settings = {"acr": {"sku": "Premium", "replica_locations": ["northeurope", "eastus"]}}
    recording = declared(place, settings, zones=True)
    replicas = [replica.inputs for replica in recording.of_type(":Replication")]
    assert {str(replica["location"]) for replica in replicas} == {"northeurope", "eastus"}
    assert {str(replica["zoneRedundancy"]) for replica in replicas} == {"Enabled"}


def test_a_registry_is_changed_by_one_thing_at_a_time(place: Place) -> None:
    """Azure takes no endpoint for a registry to which a replica is being added."""
    settings = {"acr": {**PRIVATE["acr"], "replica_locations": ["northeurope", "uksouth"]}}
    recording = declared(place, settings)
    first, second = recording.of_type(":Replication")
    assert first.urn in second.options.depends_on
    endpoint = recording.one(":PrivateEndpoint", "registry-private-endpoint")
    assert {first.urn, second.urn} <= set(endpoint.options.depends_on)


def test_the_registry_is_kept_and_logged(place: Place) -> None:
    recording = declared(place, {})
    own = recording.one(":Registry")
    assert own.options.protect
    assert recording.one(":ManagementLockByScope").inputs["scope"] == f"<output of {own.urn}.id>"
    setting: Any = recording.one(":DiagnosticSetting").inputs
    assert setting["resourceUri"] == f"<output of {own.urn}.id>"
    assert setting["logs"] == [{"categoryGroup": "allLogs", "enabled": True}]


def test_images_are_named_after_the_registry(place: Place) -> None:
    recording = declared(place, {})
    server = recording.one("azure:ContainerRegistry").outputs["login_server"]
    assert server == f"<output of {recording.one(':Registry').urn}.loginServer>"


def test_of_an_existing_registry_only_rights_are_declared(place: Place) -> None:
    recording = declared(place, {"acr": {"existing_id": EXISTING}})
    assert not recording.of_type(":Registry")
    assert grants(recording) == {(KUBELET, ACR_PULL, EXISTING), (CI, ACR_PUSH, EXISTING)}
    outputs = recording.one("azure:ContainerRegistry").outputs
    assert outputs == {"id": EXISTING, "login_server": "sharedimages.azurecr.io"}


def test_docker_hub_needs_nothing_in_azure(place: Place) -> None:
    recording = declared(place, HUB)
    assert [resource.type for resource in recording.resources] == [
        "realtime-scoring:azure:ContainerRegistry"
    ]
    assert recording.resources[0].outputs["login_server"] == "docker.io/acme"


def test_the_right_to_pull_keeps_its_name(place: Place) -> None:
    names = {
        str(
            declared(place, {}).one(":RoleAssignment", "registry-pull").inputs["roleAssignmentName"]
        )
        for _ in range(2)
    }
    assert len(names) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"acr": {"sku": "Standard"}},
        {
            "acr": {
                "sku": "Premium",
                "private": True,
                "untagged_retention_days": 30,
                "replica_locations": ["northeurope"],
            }
        },
        {"acr": {"existing_id": EXISTING}},
    ],
    ids=["basic", "standard", "premium", "existing"],
)
def test_azure_takes_every_input(
    place: Place, azure_faults: Callable[[Recording], list[str]], settings: dict[str, Any]
) -> None:
    assert azure_faults(declared(place, settings, zones=True)) == []
