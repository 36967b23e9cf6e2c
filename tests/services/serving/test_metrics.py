"""Metrics: their names, their labels and their port."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator

import pytest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from services.launch import free_ports
from services.serving.answered import Answered
from services.serving.metrics import Metrics
from tests.services.serving.live_service import LiveService, Wire, head, service


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """A service that has answered a few requests."""
    with service(tmp_path_factory.mktemp("used")) as live:
        live.pull("a")
        live.pull("a", "b", "c")
        live.request("POST", "/v1/pull", b"{")
        live.pull("fail")
        for path in ("/nowhere/1", "/nowhere/2", "/docs/swagger-ui.css", "/docs/docs.js"):
            live.get(path)
        live.request("PUT", "/v1/pull")
        yield live


def test_a_reader_that_resets_its_connection_leaves_no_traceback(lever: LiveService) -> None:
    for _ in range(5):
        wire = Wire(lever.metrics_port)
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wire.close()
    assert lever.metric("modelsvc_ready") == 1
    assert all(line.startswith("{") for line in lever.log_text.splitlines())


def test_a_format_that_cannot_be_read_is_answered_in_the_usual_one(lever: LiveService) -> None:
    accept = "application/openmetrics-text; version=abc"
    with Wire(lever.metrics_port) as wire:
        wire.send(head("GET", "/metrics", {"Connection": "close", "Accept": accept}))
        answer = wire.read("GET")

    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert b"modelsvc_ready 1.0" in answer.body
    assert all(line.startswith("{") for line in lever.log_text.splitlines())


def labels(live: LiveService, sample: str) -> list[dict[str, str]]:
    return [
        each.labels
        for family in text_string_to_metric_families(live.metrics())
        for each in family.samples
        if each.name == sample
    ]


def test_every_metric_is_there_with_its_labels(used: LiveService) -> None:
    families = {
        family.name: family.type for family in text_string_to_metric_families(used.metrics())
    }

    assert {name: kind for name, kind in families.items() if name.startswith("modelsvc_")} == {
        "modelsvc_requests": "counter",
        "modelsvc_rejected": "counter",
        "modelsvc_request_duration_seconds": "histogram",
        "modelsvc_preprocess_seconds": "histogram",
        "modelsvc_postprocess_seconds": "histogram",
        "modelsvc_queue_seconds": "histogram",
        "modelsvc_inference_seconds": "histogram",
        "modelsvc_batch_size": "histogram",
        "modelsvc_dropped_items": "counter",
        "modelsvc_ready": "gauge",
        "modelsvc_queue_depth": "gauge",
        "modelsvc_queue_bytes": "gauge",
        "modelsvc_requests_in_flight": "gauge",
        "modelsvc_build_info": "gauge",
        "modelsvc_model_updates": "counter",
        "modelsvc_model_info": "gauge",
        "modelsvc_model_load_seconds": "gauge",
    }
    assert {"process_resident_memory_bytes", "python_info"} <= families.keys()


def test_the_route_is_the_rule_never_the_path(used: LiveService) -> None:
    routes = {each["route"] for each in labels(used, "modelsvc_requests_total")}

    assert routes <= {"/v1/pull", "/readyz", "/docs/<path:name>", "unknown"}
    assert "nowhere" not in used.metrics()


def test_requests_are_counted_by_route_and_code(used: LiveService) -> None:
    def count(route: str, code: int) -> float:
        return used.metric(f'modelsvc_requests_total{{code="{code}",route="{route}"}}')

    assert count("/v1/pull", 200) == 2
    assert count("/v1/pull", 400) == 1
    assert count("/v1/pull", 500) == 1
    assert count("unknown", 404) == 2
    assert count("unknown", 405) == 1
    assert count("/docs/<path:name>", 200) == 2


def test_refusals_are_there_before_the_first(used: LiveService) -> None:
    assert {"code": "503", "route": "/v1/pull"} in labels(used, "modelsvc_requests_total")
    assert {"reason": "capacity"} in labels(used, "modelsvc_rejected_total")
    assert used.metric('modelsvc_rejected_total{reason="capacity"}') == 0


def test_items_and_batches_are_counted(used: LiveService) -> None:
    assert used.metric("modelsvc_batch_size_sum") == 5
    assert used.metric("modelsvc_queue_seconds_count") == 5
    assert used.metric("modelsvc_inference_seconds_count") == used.metric(
        "modelsvc_batch_size_count"
    )
    assert used.metric('modelsvc_preprocess_seconds_count{route="/v1/pull"}') == 2
    assert used.metric('modelsvc_postprocess_seconds_count{route="/v1/pull"}') == 2


def test_the_model_is_described(used: LiveService) -> None:
    assert labels(used, "modelsvc_model_info") == [
        {
            "name": "lever",
            "version": "7",
            "sha256": "ab" * 32,
            "backend": "none",
            "device": "cpu",
        }
    ]
    assert used.metric("modelsvc_model_load_seconds") > 0
    assert used.metric("modelsvc_ready") == 1
    assert used.metric("modelsvc_queue_depth") == 0


def test_metrics_are_on_their_own_port_only(used: LiveService) -> None:
    assert used.get("/metrics").status == 404
    with Wire(used.metrics_port) as wire:
        wire.send(head("POST", "/v1/pull", {"Connection": "close"}, 0))
        answer = wire.read()
    assert b'"texts"' not in answer.body


def test_no_metric_is_named_after_a_moment(used: LiveService) -> None:
    assert not re.search(r"^modelsvc_\w+_created", used.metrics(), re.MULTILINE)


def test_an_exemplar_is_the_last_of_its_bucket_at_its_time() -> None:
    metrics = Metrics()
    for name, trace, seconds, ended in (("a", "", 0.2, 1), ("b", "", 0.21, 2), ("c", "t", 3.0, 3)):
        metrics.count_answered(
            Answered(
                request_id=name, method="POST", route="/v1/pull", status=200, seconds=seconds,
                ended=ended, peer="", forwarded_for="", bytes_in=1, bytes_out=1, trace_id=trace,
            )
        )  # fmt: skip

    text = openmetrics.generate_latest(metrics.registry).decode()
    assert [line.partition(" # ")[2] for line in text.splitlines() if " # " in line] == [
        '{request_id="b"} 0.21 2',
        '{trace_id="t"} 3.0 3',
    ]


def test_port_0_is_no_metrics_port(tmp_path_factory: pytest.TempPathFactory) -> None:
    with service(tmp_path_factory.mktemp("none"), ports=(free_ports(1)[0], 0)) as live:
        assert live.pull("x").status == 200
