"""The shapes of responses that every application of this project shares: JSON and problems."""

from __future__ import annotations

import ipaddress
import logging
import time
from typing import Protocol

import orjson
from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from services.serving.answered import Answered
from services.serving.http.wsgi import BODY_PROBLEM
from services.serving.problem import Problem, problem_type, service_failed
from services.serving.request_id import request_id_of

log = logging.getLogger("access")

API_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)
"""What browsers must not do with an answer of a scoring service."""
PROBES = ("/", "/livez", "/readyz", "/v2/health/live", "/v2/health/ready")
DETAILS = {404: "There is nothing at this path.", 405: "This path does not take this method."}


def begin_request() -> None:
    """Note when the request began and its id.

    Raises:
        Problem: the server could not read its body.
    """
    g.began = time.perf_counter()
    g.request_id = request_id_of(request.headers)
    if (problem := request.environ.get(BODY_PROBLEM)) is not None:
        raise problem


def finish_response(response: Response) -> None:
    """Add what every response carries."""
    response.headers["X-Request-Id"] = g.request_id
    response.headers.setdefault("Cache-Control", "no-store")


class RequestMetrics(Protocol):
    """The metrics of requests, whatever their names."""

    def count_answered(self, answered: Answered) -> None:
        """Count one that was answered."""
        ...


def record(answered: Answered, metrics: RequestMetrics, *, access_log: bool, **caller: str) -> None:
    """Count a request and log it in one line; ``caller`` says who asked."""
    metrics.count_answered(answered)
    if access_log and answered.route not in PROBES:
        trace = {"trace_id": answered.trace_id} if answered.trace_id else {}
        log.info(
            "request",
            extra={
                "request_id": answered.request_id,
                "client": client_address(answered.forwarded_for, answered.peer),
                "method": answered.method,
                "route": answered.route,
                "status": answered.status,
                "ms": round(answered.seconds * 1000, 2),
                **caller,
                **trace,
                "bytes_in": answered.bytes_in,
                "bytes_out": answered.bytes_out,
            },
        )


def record_request(
    response: Response, metrics: RequestMetrics, *, access_log: bool, **caller: str
) -> None:
    """:func:`record` Flask's present request."""
    route = request.url_rule.rule if request.url_rule else "unknown"
    answered = Answered(
        request_id=g.request_id,
        method=request.method if request.url_rule else "",
        route=route,
        status=response.status_code,
        seconds=time.perf_counter() - g.began,
        peer=request.remote_addr or "",
        forwarded_for=request.headers.get("X-Forwarded-For", ""),
        bytes_in=g.get("received_bytes", 0),
        bytes_out=response.content_length or 0,
        reason=g.get("rejected", ""),
        stages=g.get("stages"),
    )
    record(answered, metrics, access_log=access_log, **caller)


def client_address(forwarded_for: str, peer: str) -> str:
    """Whose request it is, as the gateway in front saw it, or else the connection's address.

    The gateway adds the last entry of ``X-Forwarded-For``. Without one in front anybody can write
    it, so only what is an address reaches the log, and no zone of one (RFC 4007), which may be any text.
    """
    for address in (forwarded_for.rpartition(",")[2].strip(), peer):
        try:
            return str(ipaddress.ip_address(address.partition("%")[0]))
        except ValueError:
            continue
    return ""


def json_response(content: object, status: int = 200) -> Response:
    """``content`` as JSON."""
    return Response(orjson.dumps(content), status=status, mimetype="application/json")


def answer_problem(problem: Problem) -> Response:
    """A problem as its response; its reason is kept for the metrics."""
    g.rejected = problem.reason
    response = Response(
        problem.body(g.get("request_id", "")),
        status=problem.status,
        mimetype=problem_type(request.path),
    )
    response.headers.extend(problem.headers)
    return response


def answer_http_exception(error: HTTPException) -> Response:
    """Flask's own errors, such as an unknown path, in the shape of all others."""
    status = error.code or 500
    response = answer_problem(Problem(status, DETAILS.get(status, "The request is refused.")))
    for name, value in error.get_headers():
        if name.lower() == "allow":
            response.headers[name] = value
    return response


def answer_exception(error: Exception) -> Response:
    """The answer to a fault of the program, which only the log describes."""
    logging.getLogger(__name__).error("unexpected error", exc_info=error)
    return answer_problem(service_failed())
