"""OpenTelemetry traces of scoring requests, for those who turn them on.

Needs the packages of requirements-tracing.txt; without the setting none of them is imported and a
request meets none of this. Where spans go, and how many, is said by OpenTelemetry's own environment
variables (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER, OTEL_SERVICE_NAME). A span has no text
of a user: the attributes are those of its conventions for HTTP servers, and the stages' durations.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.serving.build import VERSION
from services.serving.header_values import HeaderValues

STAGE = re.compile(r"(\w+);dur=([\d.]+)")
PROPAGATOR = TraceContextTextMapPropagator()


def new_tracer(service: str) -> RequestTracer:
    """A tracer that sends spans by OTLP in the background, in the name of ``service``."""
    name = os.environ.get("OTEL_SERVICE_NAME") or service
    provider = TracerProvider(
        resource=Resource.create({"service.name": name, "service.version": VERSION})
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return RequestTracer(provider.get_tracer("services.serving", VERSION))


class RequestTracer:
    """Makes a span of each scoring request."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def begin(self, rule: str, headers: HeaderValues) -> RequestSpan:
        """Begin a span; a request's own ``traceparent`` (W3C Trace Context) is continued."""
        carrier = {
            name: value
            for name in ("traceparent", "tracestate")
            if (value := headers.get(name, ""))
        }
        return RequestSpan(
            self._tracer.start_span(
                f"POST {rule}",
                context=PROPAGATOR.extract(carrier, context=Context()),
                kind=SpanKind.SERVER,
                attributes={"http.request.method": "POST", "http.route": rule},
            )
        )


class RequestSpan:
    """The span of one request.

    Attributes:
        trace_id: of its trace; empty where the request is not among those that are recorded.
    """

    def __init__(self, span: Span) -> None:
        self._span = span
        is_kept = span.is_recording()
        self.trace_id = format(span.get_span_context().trace_id, "032x") if is_kept else ""

    def end(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Describe the response and end the span."""
        span = self._span
        span.set_attribute("http.response.status_code", status)
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        for name, value in headers:
            if name == "Server-Timing":
                for stage, milliseconds in STAGE.findall(value):
                    span.set_attribute(f"scoring.{stage}_ms", float(milliseconds))
            elif name == "X-Request-Id":
                span.set_attribute("scoring.request_id", value)
        span.end()

    def drop(self) -> None:
        """End the span of a request whose client is gone."""
        self._span.set_attribute("error.type", "client_gone")
        self._span.end()
