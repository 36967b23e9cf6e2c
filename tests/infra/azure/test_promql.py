"""Every expression of the rules and of the dashboard: that it parses, and reads what exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from infra.azure.cluster_alerts import cluster_alerts
from infra.azure.page_alerts import page_alerts
from infra.azure.prometheus_rules import EXTRA_KUBE_STATE_METRICS, RecordingRule
from infra.azure.recording_rules import (
    KUBERNETES_RECORDINGS,
    NODE_RECORDINGS,
    SERVICE_RECORDINGS,
)
from infra.azure.service_alerts import service_alerts, workload_alerts
from infra.kubernetes.metrics_collection import MetricsCollection
from infra.recording import record_component
from infra.sections.monitoring import AlertSettings
from services.serving.answered import Answered
from services.serving.metrics import Metrics
from services.serving.model import ModelInfo
from services.serving.responses import PROBES
from services.web.metrics import WebMetrics
from tests.infra.azure.monitoring import names_in

DASHBOARD = Path(__file__).parents[3] / "infra/dashboards/services.json"
RECORDINGS = (*SERVICE_RECORDINGS, *NODE_RECORDINGS, *KUBERNETES_RECORDINGS)
ALERTS = (
    *service_alerts(AlertSettings()),
    *page_alerts(AlertSettings()),
    *workload_alerts(),
    *cluster_alerts(),
)

COLLECTED = {
    # What managed Prometheus keeps of its default targets ("minimal ingestion profile",
    # github.com/Azure/prometheus-collector), as far as it is read here.
    "container_cpu_usage_seconds_total", "container_memory_working_set_bytes",
    "kube_deployment_spec_replicas", "kube_deployment_status_replicas_available",
    "kube_horizontalpodautoscaler_spec_max_replicas",
    "kube_horizontalpodautoscaler_spec_min_replicas",
    "kube_horizontalpodautoscaler_status_current_replicas",
    "kube_horizontalpodautoscaler_status_desired_replicas",
    "kube_node_status_condition", "kube_pod_container_resource_limits",
    "kube_pod_container_resource_requests", "kube_pod_container_status_last_terminated_reason",
    "kube_pod_container_status_restarts_total", "kube_pod_container_status_waiting_reason",
    "kube_pod_info", "kube_pod_owner", "kube_pod_status_phase", "kube_replicaset_owner",
    "kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes",
    "node_cpu_seconds_total", "node_filesystem_avail_bytes", "node_filesystem_size_bytes",
    "node_load1", "node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes",
}  # fmt: skip
ANNOTATED = {"certmanager_certificate_expiration_timestamp_seconds"}
"""Of pods that are collected by their annotations; cert-manager's chart sets them."""


def rule_expressions() -> dict[str, str]:
    return {rule.name: rule.expression for rule in (*RECORDINGS, *ALERTS)}


def dashboard_expressions() -> dict[str, str]:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in panels
        for target in panel["targets"]
    }


EXPRESSIONS = {**rule_expressions(), **dashboard_expressions()}


@pytest.fixture(scope="module")
def published() -> set[str]:
    """Names of everything that a service or the client application publishes."""
    metrics = Metrics()
    metrics.describe_model(ModelInfo("name", "version", "0" * 64, "backend"), 1.0)
    metrics.count_answered(
        Answered(
            request_id="a", method="POST", route="/score", status=200, seconds=1.0, peer="",
            forwarded_for="", bytes_in=1, bytes_out=1,
        )
    )  # fmt: skip
    metrics.count_refusal("/score")
    page = WebMetrics()
    page.requests.labels("/", "200")
    return {
        sample.name
        for registry in (metrics.registry, page.registry)
        for family in registry.collect()
        for sample in family.samples
    }


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_it_reads_what_somebody_publishes(name: str, published: set[str]) -> None:
    known = published | COLLECTED | ANNOTATED | set(EXTRA_KUBE_STATE_METRICS)
    known |= {rule.name for rule in RECORDINGS}
    assert set(names_in(EXPRESSIONS[name])) <= known


def test_what_must_be_collected_beyond_the_default_is_read() -> None:
    read = {name for expression in EXPRESSIONS.values() for name in names_in(expression)}
    assert set(EXTRA_KUBE_STATE_METRICS) <= read
    assert read >= COLLECTED


def test_what_is_read_beyond_the_default_is_collected() -> None:
    settings = record_component(lambda: MetricsCollection("metrics")).one(":ConfigMap").inputs
    data = settings["data"]
    assert isinstance(data, dict)
    keep = str(data["default-targets-metrics-keep-list"])
    assert f'kubestate = "{"|".join(EXTRA_KUBE_STATE_METRICS)}"' in keep
    assert "minimalingestionprofile = true" in keep, "or the default metrics would be left out"


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_it_parses(name: str) -> None:
    parser = pytest.importorskip("promql_parser", reason="needs the package promql-parser")
    parser.parse(EXPRESSIONS[name])


@pytest.mark.parametrize(
    "rule", [a for a in ALERTS if re.search("modelsvc_|web_", a.expression)], ids=lambda a: a.name
)
def test_alerts_on_the_services_say_which_service(rule: object) -> None:
    assert "app_kubernetes_io_name" in str(rule) or "service:" in str(rule)


@pytest.mark.parametrize("rule", RECORDINGS, ids=lambda rule: rule.name)
def test_what_is_recorded_says_of_which_cluster_it_is(rule: RecordingRule) -> None:
    """Else a group of alerts that is limited to one cluster does not find it."""
    kept = re.findall(r"\bby \(([^)]*)\)", rule.expression)
    assert all("cluster" in labels.split(", ") for labels in kept)
    assert not re.search(r"\bwithout \([^)]*cluster", rule.expression)


def test_probes_count_neither_as_requests_nor_as_latency() -> None:
    for rule in SERVICE_RECORDINGS[:2]:
        excluded = re.search(r'route!~"([^"]*)"', rule.expression)
        assert excluded is not None
        assert all(re.fullmatch(excluded[1], probe) for probe in PROBES)
        assert not any(re.fullmatch(excluded[1], path) for path in ("/v1/match", "/v2", "unknown"))


def test_the_dashboard_can_be_imported_into_any_grafana() -> None:
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    assert "id" not in dashboard, "an id is one instance's own"
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    assert variables == {"datasource", "service"}
    for panel in dashboard["panels"]:
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
        assert panel["description"], panel["title"]
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in dashboard["panels"]]
    assert len(places) == len(set(places))
