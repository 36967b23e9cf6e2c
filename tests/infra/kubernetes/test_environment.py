"""Every variable is a setting of the service, with a value that it takes."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from pydantic_settings import BaseSettings

from infra.kubernetes.environment import environment
from infra.workload import WorkloadName
from services.faq.settings import FaqSettings
from services.resnet.settings import ResnetSettings
from services.web.settings import WebSettings
from tests.infra.kubernetes.platform_objects import settings_with
from tests.infra.kubernetes.workload_objects import GPU, WEB

HOSTS: dict[WorkloadName, str] = {"faq": "faq", "resnet": "resnet"}
COLLECTOR = {"namespace": "observability", "service": "collector", "sample_percent": 2.5}
OPEN_TELEMETRY = {
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
}
SERVICES: dict[WorkloadName, type[BaseSettings]] = {
    "faq": FaqSettings,
    "resnet": ResnetSettings,
    "web": WebSettings,
}


def read(
    monkeypatch: pytest.MonkeyPatch, name: WorkloadName, values: dict[str, Any] | None = None
) -> Any:
    """The settings that the service makes of its variables."""
    service = SERVICES[name]
    variables = environment(settings_with({"web": WEB, **(values or {})}), name, HOSTS)
    known = {f"{name}_{field}".upper() for field in service.model_fields} | OPEN_TELEMETRY
    assert set(variables) <= known, "no setting of the service"
    for key, value in variables.items():
        monkeypatch.setenv(key, value)
    return service()


@pytest.mark.parametrize("name", SERVICES)
def test_other_pods_can_reach_it(monkeypatch: pytest.MonkeyPatch, name: WorkloadName) -> None:
    found = read(monkeypatch, name)
    assert (found.host, found.port, found.metrics_port) == ("0.0.0.0", 8080, 9090)


def test_a_services_limits_are_the_stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "queue_limit": 9,
        "deadline_ms": 1234,
        "requests_per_second": 1.5,
        "drain_seconds": 4,
        "stop_seconds": 5,
    }
    found = read(monkeypatch, "faq", {"faq": values})
    assert {key: getattr(found, key) for key in values} == values
    assert (str(found.model), str(found.keys)) == ("/models/faq", "/keys/keys.json")


@pytest.mark.parametrize("name", ["faq", "resnet"])
def test_bodies_that_wait_are_bounded_as_the_stack_says(
    monkeypatch: pytest.MonkeyPatch, name: WorkloadName
) -> None:
    assert read(monkeypatch, name, {name: {"queue_mib": 17}}).queue_bytes == 17 << 20
    default = SERVICES[name].model_fields["queue_bytes"].default
    assert read(monkeypatch, name).queue_bytes == default, "the services' own default"


def test_what_the_gateway_lets_through_the_services_take(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"gateway": {"max_body_mib": 5}}
    assert read(monkeypatch, "resnet", values).max_body_bytes == 5 << 20
    assert read(monkeypatch, "web", values).max_picture_bytes == 5 << 20


def test_no_service_takes_more_than_the_gateway_lets_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """faq keeps its own limit, since a question is short: below the gateway's smallest."""
    values = {"gateway": {"max_body_mib": 1}}
    for name in ("faq", "resnet"):
        assert read(monkeypatch, name, values).max_body_bytes <= 1 << 20


def test_a_pod_for_a_gpu_does_not_run_without(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, "resnet").device == "cpu"
    assert read(monkeypatch, "resnet", GPU).device == "cuda"


def test_the_page_finds_the_services_and_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, "web")
    assert (found.faq_url, found.resnet_url) == ("http://faq:8080", "http://resnet:8080")
    assert str(found.faq_key_file) == str(found.resnet_key_file) == "/keys/api-key"


@pytest.mark.parametrize("name", ["faq", "resnet"])
def test_traces_go_to_the_stacks_collector(
    monkeypatch: pytest.MonkeyPatch, name: WorkloadName
) -> None:
    """As OpenTelemetry's own SDK reads its variables."""
    assert read(monkeypatch, name).tracing is False
    assert read(monkeypatch, name, {"monitoring": {"traces": COLLECTOR}}).tracing is True
    sampler = TracerProvider().sampler
    assert isinstance(sampler, ParentBasedTraceIdRatio)
    assert "0.025" in sampler.get_description()
    exporter = OTLPSpanExporter()
    assert exporter._endpoint == "collector.observability:4317"
    exporter.shutdown()


def test_without_a_collector_opentelemetry_is_told_nothing() -> None:
    traced = settings_with({"web": WEB, "monitoring": {"traces": COLLECTOR}})
    found = {name: set(environment(settings_with({"web": WEB}), name, HOSTS)) for name in SERVICES}
    assert OPEN_TELEMETRY.isdisjoint(set().union(*found.values()))
    assert OPEN_TELEMETRY.isdisjoint(environment(traced, "web", HOSTS)), "it has no traces"


def test_no_variable_holds_a_key() -> None:
    settings = settings_with({"web": WEB})
    assert WEB["api_key"] not in str([environment(settings, name, HOSTS) for name in SERVICES])
