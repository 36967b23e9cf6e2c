"""The shapes of responses: JSON, problems, and the headers that every response carries."""

from __future__ import annotations

import logging

import orjson
from flask import Response, g
from werkzeug.exceptions import HTTPException

from services.serving.problem import PROBLEM_TYPE, Problem

JSON_TYPE = "application/json"
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def json_response(content: object, status: int = 200) -> Response:
    """``content`` as JSON."""
    return Response(orjson.dumps(content), status=status, mimetype=JSON_TYPE)


def answer_problem(problem: Problem) -> Response:
    """A problem as its response; its reason is kept for the metrics."""
    g.rejected = problem.reason
    response = Response(
        problem.body(g.get("request_id", "")), status=problem.status, mimetype=PROBLEM_TYPE
    )
    response.headers.extend(problem.headers)
    return response


def answer_http_exception(error: HTTPException) -> Response:
    """Flask's own errors, such as an unknown path, in the shape of all others."""
    status = error.code or 500
    details = {
        404: "There is nothing at this path.",
        405: "This path does not take this method.",
    }
    response = answer_problem(Problem(status, details.get(status, "The request is refused.")))
    for name, value in error.get_headers():
        if name.lower() == "allow":
            response.headers[name] = value
    return response


def answer_exception(error: Exception) -> Response:
    """The answer to a fault of the program, which only the log describes."""
    logging.getLogger(__name__).error("unexpected error", exc_info=error)
    return answer_problem(Problem(500, "The page's server failed; the error is in its log."))
