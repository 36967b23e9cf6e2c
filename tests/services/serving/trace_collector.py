"""A real receiver of OTLP, in an OpenTelemetry collector's place."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """What an OpenTelemetry collector receives."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.service: dict[str, Any] = {}

    def Export(self, request: Any, context: Any) -> Any:
        for resource in request.resource_spans:
            self.service = attributes(resource.resource)
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return trace_service_pb2.ExportTraceServiceResponse()

    def wait(self, count: int) -> list[Any]:
        until = time.monotonic() + 20
        while len(self.spans) < count and time.monotonic() < until:
            time.sleep(0.05)
        return sorted(self.spans, key=lambda span: span.start_time_unix_nano)


def attributes(holder: Any) -> dict[str, Any]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value")) for each in holder.attributes
    }


@contextmanager
def collecting(host: str, port: int = 0) -> Iterator[tuple[Collector, str]]:
    """A collector until the end of the block, and its address."""
    received = Collector()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(received, server)
    bound = server.add_insecure_port(f"{host}:{port}")
    server.start()
    try:
        yield received, f"http://{host}:{bound}"
    finally:
        server.stop(0)
