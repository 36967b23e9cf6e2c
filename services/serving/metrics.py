"""Prometheus metrics of one service."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    Counter,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
)

from services.serving.answered import Answered
from services.serving.batching import BatchReport
from services.serving.build import REVISION, VERSION
from services.serving.histogram import Histogram
from services.serving.late_counting import Backlog, UpToDateRegistry
from services.serving.model import ModelInfo

SECONDS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
MOST_BATCHES = 16
"""So many are counted at a time: each tells how long every one of its items waited."""


class Metrics:
    """The metrics of a scoring service; names begin with ``modelsvc_``.

    Attributes:
        registry: through which they are read; past it some of the last requests are missing.
    """

    def __init__(self) -> None:
        disable_created_metrics()
        self.registry = UpToDateRegistry()
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
        self.dropped = self._counter("dropped_items", "Items whose deadline was over before a run")
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
            "model_updates", "Attempts to take a new model while serving", "result"
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

        self._answered = Backlog(self._count_answered)
        self._refused = Backlog(self._count_refused)
        self._batches = Backlog(self._count_batches, MOST_BATCHES)
        for backlog in (self._answered, self._refused, self._batches):
            self.registry.await_counting(backlog.count)

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

    def expect_refusals(self, routes: Iterable[str]) -> None:
        """Publish that none was refused yet: of what begins with one, no increase is seen."""
        self.rejected.labels("capacity")
        for route in routes:
            self.requests.labels(route, "503")

    def count_answered(self, answered: Answered) -> None:
        """Count a request."""
        self._answered.add(answered)

    def count_refusal(self, route: str) -> None:
        """Count a request that was refused unread, at capacity."""
        self._refused.add(route)

    def count_batch(self, report: BatchReport) -> None:
        """Count a batch."""
        self._batches.add(report)

    def _count_answered(self, answered: Sequence[Answered]) -> None:
        by_route: dict[str, list[Answered]] = {}
        for each in answered:
            by_route.setdefault(each.route, []).append(each)
        for route, group in by_route.items():
            self._count_on(route, group)

    def _count_on(self, route: str, answered: Sequence[Answered]) -> None:
        for status, count in Tally(each.status for each in answered).items():
            self.requests.labels(route, str(status)).inc(count)
        for reason, count in Tally(each.reason for each in answered if each.reason).items():
            self.rejected.labels(reason).inc(count)
        self.seconds.labels(route).observe_all(
            [each.seconds for each in answered],
            # Scrapers that ask for OpenMetrics get it.
            lambda position: (answered[position].exemplar, answered[position].ended),
        )
        stages = [each.stages for each in answered if each.stages is not None]
        if stages:
            self.prepare_seconds.labels(route).observe_all([each.prepare for each in stages])
            self.render_seconds.labels(route).observe_all([each.render for each in stages])

    def _count_refused(self, routes: Sequence[str]) -> None:
        self.rejected.labels("capacity").inc(len(routes))
        for route, count in Tally(routes).items():
            self.requests.labels(route, "503").inc(count)

    def _count_batches(self, reports: Sequence[BatchReport]) -> None:
        scored = [report for report in reports if report.size]
        self.batch_size.observe_all([report.size for report in scored])
        self.inference_seconds.observe_all([report.inference_seconds for report in scored])
        self.queue_seconds.observe_all(
            list(chain.from_iterable(report.queue_seconds for report in scored))
        )
        self.dropped.inc(sum(report.dropped for report in reports))

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"modelsvc_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(f"modelsvc_{name}", text, labels, buckets=SECONDS, registry=self.registry)
