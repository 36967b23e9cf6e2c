from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from infra.azure.place import Place
from infra.azure.prometheus_rules import MOST_RULES_IN_A_GROUP
from infra.recording import Recording
from tests.infra.azure.monitoring import (
    CLUSTER,
    GROUP,
    LOGS,
    PROMETHEUS,
    prometheus_rules,
    record_alerts,
    runbooks,
    with_alerts,
)

DOCUMENT = Path(__file__).parents[3] / "docs/alerts.md"


@pytest.fixture
def with_prometheus(place: Place) -> Recording:
    return record_alerts(
        place, with_alerts(prometheus=True, monthly_budget=100, budget_from="2027-03")
    )


@pytest.fixture
def without_prometheus(place: Place) -> Recording:
    return record_alerts(place, with_alerts())


def alert(recording: Recording, name: str) -> Any:
    (found,) = [rule for rule in prometheus_rules(recording) if rule.get("alert") == name]
    return found


def test_everybody_named_in_the_settings_gets_mail(place: Place) -> None:
    emails = ["on-call@example.org", "team@example.org"]
    group: Any = record_alerts(place, with_alerts(alerts={"emails": emails})).one(":ActionGroup")
    assert [r["emailAddress"] for r in group.inputs["emailReceivers"]] == emails
    assert group.inputs["enabled"] is True
    assert group.inputs["location"] == "Global"
    assert len(group.inputs["groupShortName"]) <= 12


def test_every_alert_tells_somebody(
    with_prometheus: Recording, without_prometheus: Recording
) -> None:
    for recording in (with_prometheus, without_prometheus):
        group = recording.one(":ActionGroup").urn
        for token in (":PrometheusRuleGroup", ":MetricAlert", ":ScheduledQueryRule"):
            for resource in recording.of_type(token):
                assert group in resource.options.depends_on, resource.name
        for resource in recording.of_type(":ActivityLogAlert"):
            assert group in resource.options.property_dependencies["actions"], resource.name
    for rule in prometheus_rules(with_prometheus):
        assert len(rule["actions"]) == 1, rule["alert"]


def test_every_alert_on_metrics_says_how_bad_how_long_and_what_to_do(
    with_prometheus: Recording,
) -> None:
    rules = prometheus_rules(with_prometheus)
    assert len(rules) >= 20
    for rule in rules:
        assert rule["severity"] in range(4), rule["alert"]
        assert re.fullmatch(r"PT[1-9]\d*M", rule["for"]), rule["alert"]
        assert rule["annotations"]["runbook"] == f"docs/alerts.md#{rule['alert'].lower()}"
        assert rule["annotations"]["runbook"] in rule["annotations"]["description"]
        assert rule["enabled"] is True


def test_no_two_alerts_have_one_name(with_prometheus: Recording) -> None:
    names = [rule["alert"] for rule in prometheus_rules(with_prometheus)]
    assert len(names) == len(set(names))


def test_alerts_read_the_clusters_own_series(with_prometheus: Recording) -> None:
    for group in with_prometheus.of_type(":PrometheusRuleGroup"):
        assert group.inputs["scopes"] == [PROMETHEUS]
        assert group.inputs["clusterName"] == "aks-scoring-test"
        assert group.inputs["interval"] == "PT1M"


def test_groups_are_no_larger_than_azure_allows(with_prometheus: Recording) -> None:
    for group in with_prometheus.of_type(":PrometheusRuleGroup"):
        rules: Any = group.inputs["rules"]
        assert 0 < len(rules) <= MOST_RULES_IN_A_GROUP


def test_thresholds_are_those_of_the_settings(place: Place) -> None:
    thresholds = {
        "emails": ["on-call@example.org"],
        "p95_latency_ms": 300,
        "error_percent": 0.5,
        "refused_percent": 7,
    }
    recording = record_alerts(place, with_alerts(prometheus=True, alerts=thresholds))
    assert alert(recording, "ServiceErrors")["expression"].endswith(" > 0.5")
    assert alert(recording, "ServiceRefusals")["expression"].endswith(" > 7")
    assert alert(recording, "ServiceSlow")["expression"].endswith(" > 0.3")
    assert alert(recording, "ServiceQueueSaturated")["expression"].endswith(" > 0.15")


def test_without_prometheus_restarts_are_found_in_the_logs(
    with_prometheus: Recording, without_prometheus: Recording
) -> None:
    assert not without_prometheus.of_type(":PrometheusRuleGroup")
    found = {r.inputs["displayName"]: r.inputs for r in _log_alerts(without_prometheus)}
    assert set(found) == {"ContainersRestart", "DailyLogCapReached"}
    assert {r.inputs["displayName"] for r in _log_alerts(with_prometheus)} == {"DailyLogCapReached"}


def test_queries_read_no_table_that_the_basic_plan_takes_from_alerts(
    without_prometheus: Recording,
) -> None:
    for resource in _log_alerts(without_prometheus):
        assert resource.inputs["scopes"] == [LOGS]
        (condition,) = resource.inputs["criteria"]["allOf"]
        assert "ContainerLogV2" not in condition["query"]
        assert condition["operator"] == "GreaterThan"


@pytest.mark.parametrize(
    "logs",
    [
        {"daily_cap_gb": None},
        {
            "existing_workspace_id": "/subscriptions/1/resourceGroups/shared/providers/"
            "Microsoft.OperationalInsights/workspaces/all"
        },
    ],
)
def test_a_cap_that_is_not_ours_raises_no_alert(place: Place, logs: dict[str, Any]) -> None:
    recording = record_alerts(place, with_alerts(logs=logs))
    assert "DailyLogCapReached" not in {r.inputs["displayName"] for r in _log_alerts(recording)}


def test_azures_own_metrics_of_the_cluster_are_watched(without_prometheus: Recording) -> None:
    metrics: set[str] = set()
    for resource in without_prometheus.of_type(":MetricAlert"):
        inputs: Any = resource.inputs
        assert inputs["scopes"] == [CLUSTER]
        assert inputs["enabled"] is True
        metrics.update(criterion["metricName"] for criterion in inputs["criteria"]["allOf"])
    assert metrics == {
        "apiserver_cpu_usage_percentage",
        "node_cpu_usage_percentage",
        "node_memory_working_set_percentage",
    }


def test_azures_incidents_are_told_for_the_subscription_and_faults_for_the_group(
    place: Place, without_prometheus: Recording
) -> None:
    found = {
        resource.name: resource.inputs["scopes"]
        for resource in without_prometheus.of_type(":ActivityLogAlert")
    }
    assert found == {
        "alerts-ServiceHealth": [place.subscription],
        "alerts-ResourceHealth": [GROUP],
    }


def test_each_alert_has_its_section_and_each_section_its_alert(
    with_prometheus: Recording, without_prometheus: Recording
) -> None:
    sections = set(_sections())
    assert runbooks(with_prometheus) | runbooks(without_prometheus) == sections


def test_each_section_gives_three_first_steps() -> None:
    for name, text in _sections().items():
        assert re.findall(r"^(\d)\. ", text, re.M) == ["1", "2", "3"], name


def test_sections_name_the_severity_that_is_declared(with_prometheus: Recording) -> None:
    sections = _sections()
    for rule in prometheus_rules(with_prometheus):
        text = sections[rule["alert"].lower()]
        assert f"Severity {rule['severity']:g}" in text, rule["alert"]


def test_links_between_sections_lead_somewhere() -> None:
    assert set(re.findall(r"\]\(#([a-z]+)\)", DOCUMENT.read_text("utf-8"))) <= set(_sections())


def _sections() -> dict[str, str]:
    parts = re.split(r"^### (\w+)$", DOCUMENT.read_text("utf-8"), flags=re.M)[1:]
    return {name.lower(): text for name, text in zip(parts[::2], parts[1::2], strict=True)}


def _log_alerts(recording: Recording) -> list[Any]:
    return list(recording.of_type(":ScheduledQueryRule"))
