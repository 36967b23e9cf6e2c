"""Prometheus metrics of the client application."""

from __future__ import annotations

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
)

from services.serving.answered import Answered

SIGN_IN_OUTCOMES = ("signed in", "provider failed", "code refused", "token refused")
"""Those that an alert compares; a series that begins with its first event hides it."""
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class WebMetrics:
    """The metrics of the client application; names begin with ``web_``."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(PLATFORM_COLLECTOR)
        self.registry.register(GC_COLLECTOR)
        self.requests = Counter(
            "web_requests", "Requests answered", ("route", "code"), registry=self.registry
        )
        self.rejected = Counter(
            "web_rejected", "Requests refused", ("reason",), registry=self.registry
        )
        self.seconds = Histogram(
            "web_request_duration_seconds",
            "Whole request",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.upstream_seconds = Histogram(
            "web_upstream_duration_seconds",
            "Call of a scoring service, by outcome: status code, timeout, unreachable, broken, busy, "
            "no key",
            ("service", "outcome"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.sign_ins = Counter(
            "web_sign_ins", "Sign-ins that ended, by outcome", ("outcome",), registry=self.registry
        )
        for outcome in SIGN_IN_OUTCOMES:
            self.sign_ins.labels(outcome)
        self.sessions = Gauge("web_sessions", "People signed in", registry=self.registry)

    def count_answered(self, answered: Answered) -> None:
        """Count a request."""
        route = answered.route
        self.requests.labels(route, str(answered.status)).inc()
        self.seconds.labels(route).observe(answered.seconds, answered.exemplar)
        if answered.reason:
            self.rejected.labels(answered.reason).inc()
