"""Traces go to a real OTLP receiver, for those who turn them on; nobody else pays for them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.services.serving.live_service import ROOT, LiveService, Wire, head, service
from tests.services.serving.trace_collector import Collector, attributes, collecting

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def collector() -> Iterator[tuple[Collector, str]]:
    with collecting("127.0.0.1") as found:
        yield found


@pytest.fixture
def traced(tmp_path: Path, collector: tuple[Collector, str]) -> Iterator[LiveService]:
    variables: Mapping[str, str] = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector[1],
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    with service(tmp_path, "--tracing", environment=variables) as live:
        yield live


def test_scoring_requests_are_spans_with_their_stages_and_without_the_user_s_text(
    traced: LiveService, collector: tuple[Collector, str]
) -> None:
    traced.pull("marker", headers={"traceparent": PARENT, "X-Request-Id": "mine"})
    traced.pull("fail:marker")
    traced.request("POST", "/v1/pull", b"{")
    traced.get("/openapi.json")
    good, failed, bad = collector[0].wait(3)
    found = attributes(good)

    assert collector[0].service["service.name"] == "lever"
    assert good.name == "POST /v1/pull"
    assert good.trace_id.hex() == PARENT.split("-")[1]
    assert good.parent_span_id.hex() == PARENT.split("-")[2]
    assert found["http.response.status_code"] == 200
    assert found["http.route"] == "/v1/pull"
    assert found["scoring.request_id"] == "mine"
    assert 0 <= found["scoring.model_ms"] <= found["scoring.total_ms"]
    assert attributes(failed)["http.response.status_code"] == 500
    assert attributes(bad)["http.response.status_code"] == 400
    assert len(collector[0].spans) == 3
    assert "marker" not in str(collector[0].spans)


def test_the_log_and_the_exemplars_name_the_trace(traced: LiveService) -> None:
    traced.pull("x", headers={"traceparent": PARENT})
    trace = PARENT.split("-")[1]

    assert f'"trace_id": "{trace}"' in traced.log_text
    assert f'trace_id="{trace}"' in open_metrics(traced)


def test_without_tracing_exemplars_name_the_request(lever: LiveService) -> None:
    lever.pull("x", headers={"X-Request-Id": "to-be-found"})
    lines = open_metrics(lever).splitlines()
    buckets = [line for line in lines if "request_duration_seconds_bucket" in line]

    assert any('# {request_id="to-be-found"}' in line for line in buckets)
    assert lines[-1] == "# EOF"
    assert "to-be-found" not in lever.metrics(), "the older format has no exemplars"


def in_a_process_of_its_own(code: str, *, check: bool) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=check,
    )


def test_without_tracing_none_of_its_packages_is_imported() -> None:
    code = (
        "import sys; from services.serving.application import Service; "
        "from tests.services.serving.lever_service import LeverModel, LeverSettings; "
        "settings = LeverSettings(); Service(LeverModel(settings), settings); "
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = in_a_process_of_its_own(code, check=True)

    assert done.stdout.strip() == "[]"


def test_without_its_packages_tracing_is_refused_in_one_line() -> None:
    code = (
        "import sys; sys.modules['opentelemetry.exporter'] = None; "
        "from services.serving.application import Service; "
        "from tests.services.serving.lever_service import LeverModel, LeverSettings; "
        "settings = LeverSettings(tracing=True); Service(LeverModel(settings), settings)"
    )
    done = in_a_process_of_its_own(code, check=False)

    assert "CommandFailed: tracing needs the package" in done.stderr


def open_metrics(live: LiveService) -> str:
    with Wire(live.metrics_port) as wire:
        accept = "application/openmetrics-text; version=1.0.0"
        wire.send(head("GET", "/metrics", {"Accept": accept, "Connection": "close"}))
        return wire.read("GET").body.decode()
