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
from types import TracebackType
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.serving.build import VERSION
from services.serving.responses import TRACE_ID
from services.serving.scoring_paths import ScoringPaths

STAGE = re.compile(r"(\w+);dur=([\d.]+)")
PROPAGATOR = TraceContextTextMapPropagator()

ExceptionInfo = (
    tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None
)


def new_tracer(service: str) -> Tracer:
    """A tracer that sends spans by OTLP in the background, in the name of ``service``."""
    name = os.environ.get("OTEL_SERVICE_NAME") or service
    provider = TracerProvider(
        resource=Resource.create({"service.name": name, "service.version": VERSION})
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("services.serving", VERSION)


class Traced:
    """A WSGI application whose scoring requests are spans.

    A request's own ``traceparent`` (W3C Trace Context) is continued.
    """

    def __init__(self, application: WSGIApplication, paths: ScoringPaths, tracer: Tracer) -> None:
        self._application = application
        self._paths = paths
        self._tracer = tracer

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request within a span."""
        rule = self._paths.rule(environ["PATH_INFO"])
        if rule is None or environ["REQUEST_METHOD"] != "POST":
            return self._application(environ, start_response)
        with self._tracer.start_as_current_span(
            f"POST {rule}",
            context=_context(environ),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": "POST", "http.route": rule},
            record_exception=False,
        ) as span:
            if span.is_recording():
                environ[TRACE_ID] = format(span.get_span_context().trace_id, "032x")

            def start(
                status: str, headers: list[tuple[str, str]], exc_info: ExceptionInfo = None, /
            ) -> Any:
                _describe(span, status, headers)
                return start_response(status, headers, exc_info)

            return self._application(environ, start)


def _context(environ: WSGIEnvironment) -> Context:
    names = {"traceparent": "HTTP_TRACEPARENT", "tracestate": "HTTP_TRACESTATE"}
    carrier = {name: environ[key] for name, key in names.items() if key in environ}
    return PROPAGATOR.extract(carrier, context=Context())


def _describe(span: Span, status: str, headers: list[tuple[str, str]]) -> None:
    code = int(status.split(" ", 1)[0])
    span.set_attribute("http.response.status_code", code)
    if code >= 500:
        span.set_status(Status(StatusCode.ERROR))
    for name, value in headers:
        if name.lower() == "server-timing":
            for stage, milliseconds in STAGE.findall(value):
                span.set_attribute(f"scoring.{stage}_ms", float(milliseconds))
        elif name.lower() == "x-request-id":
            span.set_attribute("scoring.request_id", value)
