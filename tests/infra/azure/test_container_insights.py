from __future__ import annotations

from typing import Any

from infra.azure.container_insights import ContainerInsights, ContainerInsightsArgs
from infra.azure.place import Place
from infra.recording import Recording, record_component
from infra.sections.monitoring import LogSettings
from tests.infra.azure.monitoring import CLUSTER, LOGS


def recording(place: Place, logs: LogSettings | None = None) -> Recording:
    args = ContainerInsightsArgs(place, logs or LogSettings(), CLUSTER, LOGS)
    return record_component(lambda: ContainerInsights("container-insights", args))


def rule(recorded: Recording) -> dict[str, Any]:
    return dict(recorded.one(":DataCollectionRule").inputs)


def extension(recorded: Recording) -> dict[str, Any]:
    (only,) = rule(recorded)["dataSources"]["extensions"]
    return only


def test_stdout_and_stderr_go_to_the_second_version_of_the_table(place: Place) -> None:
    source = extension(recording(place))
    assert source["extensionName"] == "ContainerInsights"
    assert "Microsoft-ContainerLogV2" in source["streams"]
    assert "Microsoft-ContainerLog" not in source["streams"]
    assert source["extensionSettings"]["dataCollectionSettings"]["enableContainerLogV2"] is True


def test_all_that_is_collected_flows_to_the_workspace(place: Place) -> None:
    recorded = recording(place)
    (flow,) = rule(recorded)["dataFlows"]
    (destination,) = rule(recorded)["destinations"]["logAnalytics"]
    assert flow["streams"] == extension(recorded)["streams"]
    assert flow["destinations"] == [destination["name"]]
    assert destination["workspaceResourceId"] == LOGS


def test_system_namespaces_are_left_out_unless_settings_ask_for_them(place: Place) -> None:
    settings = extension(recording(place))["extensionSettings"]["dataCollectionSettings"]
    assert settings["namespaceFilteringMode"] == "Exclude"
    assert settings["namespaces"] == ["kube-system", "gatekeeper-system", "azure-arc"]
    recorded = recording(place, LogSettings(system_namespaces=True))
    settings = extension(recorded)["extensionSettings"]["dataCollectionSettings"]
    assert settings["namespaceFilteringMode"] == "Off"
    assert "namespaces" not in settings


def test_the_cluster_takes_the_rule(place: Place) -> None:
    recorded = recording(place)
    association = recorded.one(":DataCollectionRuleAssociation")
    assert association.inputs["resourceUri"] == CLUSTER
    assert association.inputs["associationName"] == "ContainerInsightsExtension"
    assert recorded.one(":DataCollectionRule").urn in association.options.depends_on


def test_the_rules_own_errors_are_logged(place: Place) -> None:
    setting = recording(place).one(":DiagnosticSetting").inputs
    assert setting["workspaceId"] == LOGS
    assert "metrics" not in setting
