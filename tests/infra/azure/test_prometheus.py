from __future__ import annotations

from typing import Any

import pytest

from infra.azure.place import Place
from infra.azure.prometheus import Prometheus, PrometheusArgs
from infra.recording import Recording
from tests.infra.azure.locking import record_with_locks
from tests.infra.azure.monitoring import CLUSTER, LOGS


@pytest.fixture
def recording(place: Place) -> Recording:
    return record_with_locks(
        place, lambda: Prometheus("prometheus", PrometheusArgs(place, CLUSTER, LOGS))
    )


def test_metrics_flow_from_the_cluster_to_the_workspace(recording: Recording) -> None:
    rule: dict[str, Any] = dict(recording.one(":DataCollectionRule").inputs)
    (source,) = rule["dataSources"]["prometheusForwarder"]
    (flow,) = rule["dataFlows"]
    (destination,) = rule["destinations"]["monitoringAccounts"]
    assert source["streams"] == flow["streams"] == ["Microsoft-PrometheusMetrics"]
    assert flow["destinations"] == [destination["name"]]
    assert recording.one(":AzureMonitorWorkspace").urn in (
        recording.one(":DataCollectionRule").options.depends_on
    )


def test_the_cluster_takes_both_the_rule_and_the_endpoint(recording: Recording) -> None:
    found = recording.of_type(":DataCollectionRuleAssociation")
    associations = {str(a.inputs["associationName"]): a.inputs for a in found}
    assert all(inputs["resourceUri"] == CLUSTER for inputs in associations.values())
    # Azure takes the endpoint under this name alone, and either a rule or an endpoint in each.
    endpoint = associations.pop("configurationAccessEndpoint")
    assert "dataCollectionEndpointId" in endpoint
    assert "dataCollectionRuleId" not in endpoint
    (rule,) = associations.values()
    assert "dataCollectionRuleId" in rule
    assert "dataCollectionEndpointId" not in rule


def test_the_workspace_holds_history_and_is_kept(recording: Recording) -> None:
    workspace = recording.one(":AzureMonitorWorkspace")
    assert workspace.options.protect
    assert recording.one(":ManagementLockByScope").parent == workspace.urn


def test_alerts_and_dashboards_find_their_series(recording: Recording) -> None:
    groups = recording.of_type(":PrometheusRuleGroup")
    recorded = {rule["record"] for group in groups for rule in _rules(group.inputs)}
    assert {
        "service_code:modelsvc_requests:rate5m",
        "service:modelsvc_request_duration_seconds:p95_5m",
        "service:modelsvc_queue_seconds:p95_5m",
        "instance:node_cpu_utilisation:rate5m",
        "instance:node_memory_utilisation:ratio",
        "namespace_workload_pod:kube_pod_owner:relabel",
    } <= recorded


def test_others_learn_where_to_write_and_where_to_ask(recording: Recording) -> None:
    outputs = recording.one(":azure:Prometheus").outputs
    assert set(outputs) == {"workspace_id", "query_endpoint"}
    assert all(outputs.values())


def _rules(inputs: Any) -> list[dict[str, Any]]:
    return inputs["rules"]
