from __future__ import annotations

from typing import Any

from infra.azure.flow_logs import FlowLogs, FlowLogsArgs
from infra.azure.place import Place
from infra.recording import Recording
from infra.sections.network import FlowLogSettings
from tests.infra.azure.locking import record_with_locks

NETWORK = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet"


def declared(place: Place, *, days: int = 30, zones: bool = False) -> Recording:
    args = FlowLogsArgs(
        place,
        FlowLogSettings(enabled=True, retention_days=days),
        network_id=NETWORK,
        zone_redundant=zones,
        workspace_id="workspace",
    )
    return record_with_locks(place, lambda: FlowLogs("flow-logs", args))


def storage(recording: Recording) -> dict[str, Any]:
    return dict(recording.one(":StorageAccount").inputs)


def test_the_whole_network_is_logged(place: Place) -> None:
    log = declared(place).one(":FlowLog")
    assert log.inputs["targetResourceId"] == NETWORK
    assert log.inputs["enabled"] is True


def test_the_log_belongs_to_the_regions_watcher(place: Place) -> None:
    log = declared(place).one(":FlowLog")
    assert log.inputs["networkWatcherName"] == "NetworkWatcher_westeurope"
    assert log.inputs["resourceGroupName"] == "NetworkWatcherRG"


def test_old_logs_are_deleted(place: Place) -> None:
    recording = declared(place, days=90)
    assert recording.one(":FlowLog").inputs["retentionPolicy"] == {"enabled": True, "days": 90}
    policy: Any = recording.one(":ManagementPolicy").inputs["policy"]
    (rule,) = policy["rules"]
    assert rule["enabled"] is True
    actions = rule["definition"]["actions"]
    assert actions == {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 90}}}


def test_storage_takes_no_keys_and_shows_nothing_in_public(place: Place) -> None:
    account = storage(declared(place))
    assert account["allowSharedKeyAccess"] is False
    assert account["allowBlobPublicAccess"] is False
    assert account["allowCrossTenantReplication"] is False
    assert account["isLocalUserEnabled"] is False


def test_storage_is_reached_by_azures_services_alone_and_encrypted(place: Place) -> None:
    account = storage(declared(place))
    assert account["networkRuleSet"] == {"bypass": "AzureServices", "defaultAction": "Deny"}
    assert account["enableHttpsTrafficOnly"] is True
    assert account["minimumTlsVersion"] == "TLS1_2"
    assert account["encryption"]["requireInfrastructureEncryption"] is True


def test_the_writer_has_an_identity_and_its_right_before_the_first_log(place: Place) -> None:
    recording = declared(place)
    log, identity = recording.one(":FlowLog"), recording.one(":UserAssignedIdentity")
    right = recording.one(":RoleAssignment")
    assert log.inputs["identity"] == {
        "type": "UserAssigned",
        "userAssignedIdentities": [f"<output of {identity.urn}.id>"],
    }
    assert right.inputs["principalId"] == f"<output of {identity.urn}.principalId>"
    assert right.inputs["scope"] == f"<output of {recording.one(':StorageAccount').urn}.id>"
    assert str(right.inputs["roleDefinitionId"]).endswith("ba92f5b4-2d11-453d-a403-e96b0029c9fe")
    assert right.urn in log.options.depends_on


def test_logs_survive_the_loss_of_a_zone_where_the_stack_has_zones(place: Place) -> None:
    assert storage(declared(place))["sku"] == {"name": "Standard_LRS"}
    assert storage(declared(place, zones=True))["sku"] == {"name": "Standard_ZRS"}


def test_deleted_logs_can_be_had_back_and_reading_them_is_logged(place: Place) -> None:
    recording = declared(place)
    blobs = recording.one(":BlobServiceProperties")
    assert blobs.inputs["deleteRetentionPolicy"] == {"enabled": True, "days": 7}
    setting: Any = recording.one(":DiagnosticSetting", "flow-logs-blobs-diagnostics").inputs
    assert setting["resourceUri"] == f"<output of {blobs.urn}.id>"
    assert [log["category"] for log in setting["logs"]] == ["StorageDelete", "StorageRead"]


def test_the_storage_account_is_kept(place: Place) -> None:
    recording = declared(place)
    account = recording.one(":StorageAccount")
    assert account.options.protect
    assert (
        recording.one(":ManagementLockByScope").inputs["scope"] == f"<output of {account.urn}.id>"
    )
