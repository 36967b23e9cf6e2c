"""Prometheus metrics of one service, on a port of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)

from services.serving.batching import BatchReport
from services.serving.build import REVISION, VERSION
from services.serving.histogram import Histogram
from services.serving.model import ModelInfo

SECONDS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The metrics of a scoring service; names begin with ``modelsvc_``."""

    def __init__(self) -> None:
        disable_created_metrics()
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(PLATFORM_COLLECTOR)
        self.registry.register(GC_COLLECTOR)
        self.requests = self._counter("requests", "Requests answered", "route", "code")
        self.rejected = self._counter("rejected", "Requests refused", "reason")
        self.seconds = self._histogram("request_duration_seconds", "Whole request", "route")
        self.prepare_seconds = self._histogram(
            "preprocess_seconds", "Parsing, validation and decoding", "route"
        )
        self.render_seconds = self._histogram("postprocess_seconds", "Making the response", "route")
        self.queue_seconds = self._histogram("queue_seconds", "Wait for the model, per item")
        self.inference_seconds = self._histogram("inference_seconds", "Model run, per batch")
        self.batch_size = Histogram(
            "modelsvc_batch_size", "Items per batch", buckets=BATCH_SIZES, registry=self.registry
        )
        self.dropped = self._counter("dropped_items", "Items whose request was over before a run")
        self.ready = Gauge("modelsvc_ready", "1 when ready", registry=self.registry)
        self.model_info = Gauge(
            "modelsvc_model_info",
            "The model that runs",
            ("name", "version", "sha256", "backend", "device"),
            registry=self.registry,
        )
        self.model_load_seconds = Gauge(
            "modelsvc_model_load_seconds", "Load and warm-up", registry=self.registry
        )
        self.model_updates = self._counter(
            "model_updates", "New models that were found while serving", "result"
        )
        for result in ("taken", "refused"):
            self.model_updates.labels(result)
        Gauge(
            "modelsvc_build_info",
            "The build of the service",
            ("version", "revision"),
            registry=self.registry,
        ).labels(VERSION, REVISION).set(1)
        self.in_flight = Gauge(
            "modelsvc_requests_in_flight",
            "Scoring requests that are not answered yet, those whose bodies arrive among them",
            registry=self.registry,
        )
        self.queue_depth = Gauge(
            "modelsvc_queue_depth", "Items admitted and not yet answered", registry=self.registry
        )
        self.queue_bytes = Gauge(
            "modelsvc_queue_bytes",
            "Bytes of request bodies that are read or held until they are answered",
            registry=self.registry,
        )

    def describe_model(self, info: ModelInfo, load_seconds: float) -> None:
        """Publish which model answers and how long it took to load and warm up."""
        self.model_info.clear()
        self.model_info.labels(info.name, info.version, info.sha256, info.backend, info.device).set(
            1
        )
        self.model_load_seconds.set(load_seconds)

    def follow_queue(self, depth: Callable[[], float]) -> None:
        """Read the queue depth from ``depth`` at every scrape."""
        self.queue_depth.set_function(depth)

    def follow_bytes(self, held: Callable[[], float]) -> None:
        """Read the bytes of the requests' bodies from ``held`` at every scrape."""
        self.queue_bytes.set_function(held)

    def follow_requests(self, in_flight: Callable[[], float]) -> None:
        """Read the number of requests under way from ``in_flight`` at every scrape."""
        self.in_flight.set_function(in_flight)

    def observe_batch(self, report: BatchReport) -> None:
        """Count one batch."""
        if report.size:
            self.batch_size.observe(report.size)
            self.inference_seconds.observe(report.inference_seconds)
        queue_seconds = self.queue_seconds.labels()
        for seconds in report.queue_seconds:
            queue_seconds.observe(seconds)
        if report.dropped:
            self.dropped.inc(report.dropped)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"modelsvc_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(f"modelsvc_{name}", text, labels, buckets=SECONDS, registry=self.registry)


def serve_metrics(registry: CollectorRegistry, host: str, port: int) -> threading.Thread:
    """Serve ``GET /metrics`` on its own port, from a thread of its own.

    Raises:
        OSError: the port cannot be opened.
    """
    _, thread = start_http_server(port, addr=host, registry=registry)
    return thread
