from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from infra.azure.key_vault import KeyVault, KeyVaultArgs
from infra.azure.place import Place
from infra.azure.private_endpoint import Endpoints
from infra.recording import Recording
from infra.sections.security import KeyVaultSettings
from tests.infra.azure.locking import record_with_locks


def declared(place: Place, endpoints: Endpoints | None = None, **settings: bool) -> Recording:
    args = KeyVaultArgs(
        place,
        KeyVaultSettings.model_validate({"enabled": True, **settings}),
        endpoints=endpoints,
        workspace_id="workspace",
    )
    return record_with_locks(place, lambda: KeyVault("vault", args))


def private(place: Place) -> Recording:
    return declared(place, Endpoints("subnet", "network"), private=True)


def properties(recording: Recording) -> dict[str, Any]:
    inputs: Any = recording.one(":Vault").inputs
    return inputs["properties"]


def test_who_may_read_is_said_by_roles_alone(place: Place) -> None:
    vault = properties(declared(place))
    assert vault["enableRbacAuthorization"] is True
    assert "accessPolicies" not in vault
    assert vault["tenantId"] == place.tenant_id


def test_azures_own_machinery_gets_no_secrets(place: Place) -> None:
    vault = properties(declared(place))
    assert vault["enabledForDeployment"] is False
    assert vault["enabledForDiskEncryption"] is False
    assert vault["enabledForTemplateDeployment"] is False


def test_deleted_secrets_can_be_had_back(place: Place) -> None:
    vault = properties(declared(place))
    assert vault["enableSoftDelete"] is True
    assert vault["softDeleteRetentionInDays"] == 90
    assert vault["enablePurgeProtection"] is True


def test_purge_protection_is_left_unsaid_where_it_is_off(place: Place) -> None:
    assert "enablePurgeProtection" not in properties(declared(place, purge_protection=False))


def test_a_private_vault_is_closed_to_the_internet(place: Place) -> None:
    vault = properties(private(place))
    assert vault["publicNetworkAccess"] == "Disabled"
    assert vault["networkAcls"] == {"bypass": "AzureServices", "defaultAction": "Deny"}


def test_a_private_vault_is_reached_by_its_endpoint(place: Place) -> None:
    recording = private(place)
    endpoint: Any = recording.one("network:PrivateEndpoint").inputs
    (connection,) = endpoint["privateLinkServiceConnections"]
    assert connection["groupIds"] == ["vault"]
    assert connection["privateLinkServiceId"] == f"<output of {recording.one(':Vault').urn}.id>"
    zone = recording.one(":PrivateZone").inputs["privateZoneName"]
    assert zone == "privatelink.vaultcore.azure.net"


def test_a_private_vault_without_a_subnet_is_refused(place: Place) -> None:
    with pytest.raises(ValueError, match="needs a subnet"):
        declared(place, private=True)


def test_an_open_vault_has_no_endpoint(place: Place) -> None:
    recording = declared(place)
    assert properties(recording)["publicNetworkAccess"] == "Enabled"
    assert not recording.of_type("network:PrivateEndpoint")


def test_every_reading_is_logged(place: Place) -> None:
    recording = declared(place)
    setting: Any = recording.one(":DiagnosticSetting").inputs
    assert setting["resourceUri"] == f"<output of {recording.one(':Vault').urn}.id>"
    assert [log["category"] for log in setting["logs"]] == ["AuditEvent"]


def test_the_vault_is_kept(place: Place) -> None:
    recording = declared(place)
    vault = recording.one(":Vault")
    assert vault.options.protect
    assert recording.one(":ManagementLockByScope").inputs["scope"] == f"<output of {vault.urn}.id>"


def test_others_learn_its_name_and_address(place: Place) -> None:
    outputs = declared(place).one("azure:KeyVault").outputs
    assert str(outputs["name"]).startswith("kvscoringtest")
    assert outputs["uri"] == f"https://{outputs['name']}.vault.azure.net/"


def test_azure_takes_every_input(
    place: Place, azure_faults: Callable[[Recording], list[str]]
) -> None:
    assert azure_faults(declared(place, purge_protection=False)) == []
    assert azure_faults(private(place)) == []
