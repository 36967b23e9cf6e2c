"""The shapes of responses that every application of this project shares: JSON and problems."""

from __future__ import annotations

import ipaddress
import logging
import re
import secrets
import time
from typing import Protocol

import orjson
from flask import Response, g, request
from prometheus_client import Counter, Histogram
from werkzeug.exceptions import HTTPException

from services.serving.body import WatchedBody
from services.serving.problem import Problem, problem_type

log = logging.getLogger("access")

PROBES = ("/", "/livez", "/readyz", "/v2/health/live", "/v2/health/ready")
TRACE_ID = "scoring.trace_id"
"""Where a request's environment has the id of its trace, if it is traced."""
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
DETAILS = {404: "There is nothing at this path.", 405: "This path does not take this method."}


def begin_request() -> None:
    """Note when the request began, its id, and from now on how much of its body is read."""
    g.began = time.perf_counter()
    asked = request.headers.get("X-Request-Id", "")
    g.request_id = asked if REQUEST_ID.fullmatch(asked) else secrets.token_hex(8)
    g.body = WatchedBody(request.environ)
    request.environ["wsgi.input"] = g.body


def finish_response(response: Response) -> None:
    """Add what every response carries.

    The server closes a connection whose body nobody has read, and at no certain moment: a client
    that is not told would lose its next request.
    """
    response.headers["X-Request-Id"] = g.request_id
    response.headers.setdefault("Cache-Control", "no-store")
    if not g.body.is_complete:
        response.headers["Connection"] = "close"


class RequestMetrics(Protocol):
    """The metrics that count requests, whatever their names."""

    requests: Counter
    rejected: Counter
    seconds: Histogram


def record_request(
    response: Response, metrics: RequestMetrics, *, access_log: bool, **caller: str
) -> None:
    """Count the request and log it in one line; ``caller`` says who asked."""
    route = request.url_rule.rule if request.url_rule else "unknown"
    seconds = time.perf_counter() - g.began
    metrics.requests.labels(route, str(response.status_code)).inc()
    trace = {"trace_id": request.environ[TRACE_ID]} if TRACE_ID in request.environ else {}
    # Found again in the log or among the traces; scrapers that ask for OpenMetrics get it.
    metrics.seconds.labels(route).observe(seconds, trace or {"request_id": g.request_id})
    if reason := g.get("rejected", ""):
        metrics.rejected.labels(reason).inc()
    if access_log and route not in PROBES:
        log.info(
            "request",
            extra={
                "request_id": g.request_id,
                "client": client_address(),
                "method": request.method if request.url_rule else "",
                "route": route,
                "status": response.status_code,
                "ms": round(seconds * 1000, 2),
                **caller,
                **trace,
                "bytes_in": g.get("received_bytes", 0),
                "bytes_out": response.content_length or 0,
            },
        )


def client_address() -> str:
    """Whose request it is, as the gateway in front saw it, or else the connection's address.

    The gateway adds the last entry of ``X-Forwarded-For``. Without one in front anybody can write
    it, so only what is an address reaches the log.
    """
    seen = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    for address in (seen, request.remote_addr or ""):
        try:
            return str(ipaddress.ip_address(address))
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
    return answer_problem(Problem(500, "The service failed; the error is in its log."))
