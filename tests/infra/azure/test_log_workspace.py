from __future__ import annotations

from typing import Any

import pytest

from infra.azure.log_workspace import LogWorkspace, LogWorkspaceArgs
from infra.azure.place import Place
from infra.recording import Recording
from infra.sections.monitoring import LogSettings
from tests.infra.azure.locking import record_with_locks

EXISTING = (
    "/subscriptions/1/resourceGroups/shared/providers/Microsoft.OperationalInsights/workspaces/all"
)


def recording(place: Place, logs: LogSettings | None = None) -> Recording:
    args = LogWorkspaceArgs(place, logs or LogSettings())
    return record_with_locks(place, lambda: LogWorkspace("logs", args))


def test_a_new_workspace_keeps_logs_as_long_and_takes_as_many_as_settings_say(place: Place) -> None:
    logs = LogSettings(retention_days=90, daily_cap_gb=2.5)
    workspace = recording(place, logs).one(":Workspace").inputs
    assert workspace["workspaceName"] == "log-scoring-test"
    assert workspace["sku"] == {"name": "PerGB2018"}
    assert workspace["retentionInDays"] == 90
    assert workspace["workspaceCapping"] == {"dailyQuotaGb": 2.5}


def test_no_cap_is_what_azure_calls_minus_one(place: Place) -> None:
    workspace = recording(place, LogSettings(daily_cap_gb=None)).one(":Workspace").inputs
    assert workspace["workspaceCapping"] == {"dailyQuotaGb": -1}


def test_nobody_writes_logs_with_a_shared_key(place: Place) -> None:
    features = recording(place).one(":Workspace").inputs["features"]
    assert isinstance(features, dict)
    assert features["disableLocalAuth"] is True


def test_the_workspace_is_protected_locked_and_diagnosed(place: Place) -> None:
    recorded = recording(place)
    workspace = recorded.one(":Workspace")
    assert workspace.options.protect
    assert recorded.one(":ManagementLockByScope").parent == workspace.urn
    setting = recorded.one(":DiagnosticSetting").inputs
    assert setting["resourceUri"] == setting["workspaceId"]


def test_the_basic_plan_is_declared_and_the_default_one_is_not(place: Place) -> None:
    assert not recording(place).of_type(":Deployment")
    recorded = recording(place, LogSettings(container_logs_plan="Basic"))
    assert not recorded.of_type(":Table"), "every workspace has it, and Pulumi would refuse it"
    properties: Any = recorded.one(":Deployment").inputs["properties"]
    (table,) = properties["template"]["resources"]
    assert table["name"] == "log-scoring-test/ContainerLogV2"
    assert table["properties"]["plan"] == "Basic"
    assert properties["mode"] == "Incremental", "the other mode would delete the rest"


@pytest.mark.parametrize("plan", ["Analytics", "Basic"])
def test_of_an_existing_workspace_nothing_is_declared(place: Place, plan: str) -> None:
    logs = LogSettings.model_validate(
        {"existing_workspace_id": EXISTING, "container_logs_plan": plan}
    )
    recorded = recording(place, logs)
    (component,) = recorded.resources
    assert component.outputs == {"id": EXISTING}
