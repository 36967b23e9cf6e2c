"""Errors as RFC 9457 problem details, with the ``error`` string that v2 clients read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import orjson

PROBLEM_TYPE = "application/problem+json"
PROTOCOL_PATHS = ("/v2/", "/v1/models/")
"""Where errors are plain ``application/json``: clients of the standard protocols read no other."""


class Problem(Exception):
    """A request that cannot be answered, as its client will be told.

    Args:
        status: HTTP status code, 4xx or 5xx.
        detail: one sentence for the client. It never repeats what the client sent.
        retry_after_seconds: when to try again; rounded up to whole seconds, at least one.
        errors: one entry per invalid field, each with ``field`` and ``message``.
        headers: further response headers.
        reason: a short machine name for metrics, such as ``capacity``.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        retry_after_seconds: float | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.reason = reason
        self.headers = dict(headers or {})
        if retry_after_seconds is not None:
            self.headers["Retry-After"] = whole_seconds(retry_after_seconds)

    @property
    def title(self) -> str:
        """The standard phrase of the status code."""
        return HTTPStatus(self.status).phrase

    def body(self, request_id: str = "") -> bytes:
        """The problem as JSON (RFC 9457 section 3), plus ``error`` and ``request_id``."""
        document: dict[str, object] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "error": self.detail,
        }
        if self.errors:
            document["errors"] = [dict(error) for error in self.errors]
        if request_id:
            document["request_id"] = request_id
        return orjson.dumps(document)


def problem_type(path: str) -> str:
    """The media type of an error at ``path``; its content is the same everywhere."""
    is_protocol = f"{path}/".startswith(PROTOCOL_PATHS)
    return "application/json" if is_protocol else PROBLEM_TYPE


def whole_seconds(seconds: float) -> str:
    """A wait as Retry-After has it (RFC 9110 section 10.2.3): whole seconds, at least one."""
    return str(max(1, math.ceil(seconds)))


def service_failed() -> Problem:
    """The answer to a fault of the program, which only the log describes."""
    return Problem(500, "The service failed; the error is in its log.")
