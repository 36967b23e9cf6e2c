from __future__ import annotations

from typing import Any

import pytest

from infra.azure.grafana import Dashboards, DashboardsArgs
from infra.azure.place import Place
from infra.azure.roles import (
    GRAFANA_ADMIN,
    GRAFANA_VIEWER,
    MONITORING_DATA_READER,
    MONITORING_READER,
)
from infra.recording import Recording, record_component
from tests.infra.azure.monitoring import GROUP, LOGS, PROMETHEUS

ADMINS = "33333333-3333-3333-3333-333333333333"
READERS = "44444444-4444-4444-4444-444444444444"


@pytest.fixture
def recording(place: Place) -> Recording:
    return record_component(
        lambda: Dashboards(
            "dashboards",
            DashboardsArgs(
                place,
                prometheus_workspace_id=PROMETHEUS,
                zone_redundant=True,
                workspace_id=LOGS,
                admin_groups=(ADMINS,),
                viewer_groups=(READERS, READERS),
            ),
        )
    )


@pytest.fixture
def grafana(recording: Recording) -> dict[str, Any]:
    return dict(recording.one(":Grafana").inputs)


def test_it_shows_managed_prometheus_and_signs_in_as_itself(grafana: dict[str, Any]) -> None:
    integrations = grafana["properties"]["grafanaIntegrations"]
    assert integrations["azureMonitorWorkspaceIntegrations"] == [
        {"azureMonitorWorkspaceResourceId": PROMETHEUS}
    ]
    assert grafana["identity"] == {"type": "SystemAssigned"}
    assert grafana["sku"] == {"name": "Standard"}


def test_there_are_no_keys_and_nothing_leaves_azure(grafana: dict[str, Any]) -> None:
    properties = grafana["properties"]
    assert properties["apiKey"] == "Disabled"
    assert properties["grafanaConfigurations"]["snapshots"] == {"externalEnabled": False}


def test_it_outlives_a_zone_where_the_cluster_does(grafana: dict[str, Any]) -> None:
    assert grafana["properties"]["zoneRedundancy"] == "Enabled"


def test_its_name_is_one_that_azure_takes(grafana: dict[str, Any]) -> None:
    name = grafana["workspaceName"]
    assert len(name) <= 23
    assert name.isalnum()


def test_it_may_read_metrics_and_nothing_more(recording: Recording) -> None:
    own = [a for a in _assignments(recording) if a["principalType"] == "ServicePrincipal"]
    assert {(_role(a), a["scope"]) for a in own} == {
        (MONITORING_DATA_READER, PROMETHEUS),
        (MONITORING_READER, GROUP),
    }


def test_people_come_in_by_group(recording: Recording) -> None:
    people = [a for a in _assignments(recording) if a["principalType"] == "Group"]
    assert sorted((_role(a), a["principalId"]) for a in people) == [
        (GRAFANA_ADMIN, ADMINS),
        (GRAFANA_VIEWER, READERS),
    ]


def test_sign_ins_are_logged(recording: Recording) -> None:
    assert recording.one(":DiagnosticSetting").inputs["workspaceId"] == LOGS


def _assignments(recording: Recording) -> list[Any]:
    return [a.inputs for a in recording.of_type(":RoleAssignment")]


def _role(assignment: Any) -> str:
    return assignment["roleDefinitionId"].rsplit("/", 1)[1]
