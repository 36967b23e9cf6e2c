"""What can go wrong with a request, one exception type per thing a caller can do about it.

The services answer errors as problem details (RFC 9457) with ``detail`` and, for invalid input,
``errors``; a gateway between may answer anything, which is never shown as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

DETAIL_LIMIT = 500
ERRORS_LIMIT = 20


class ScoringError(Exception):
    """Any failure of a request; the message is one line, free of the key and of what was sent."""


class Unreachable(ScoringError):
    """No connection, so that no service had any of what was sent, unless it is a subclass."""


class ConnectionCut(Unreachable):
    """The connection was cut before the answer was complete: a service may have begun with it."""


class DeadlineExceeded(ScoringError):
    """No answer within the time allowed: this side gave up, or the service did (504)."""


class UnexpectedAnswer(ScoringError):
    """An answer that is not what the API promises: another server, most likely."""


@dataclass(frozen=True)
class FieldError:
    """One invalid field of a request."""

    field: str
    message: str


@dataclass(frozen=True)
class Problem:
    """A refusal as it arrived.

    Attributes:
        status: HTTP status code.
        detail: one line by the service, or the standard phrase of the status.
        errors: the invalid fields, for 400 and 422.
        retry_after: seconds to wait, where the service said so.
        request_id: names this request in the service's log.
    """

    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()
    retry_after: float | None = None
    request_id: str = ""


class Refused(ScoringError):
    """The service answered, with an error.

    Attributes:
        problem: everything that it said.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(_line(problem))
        self.problem = problem

    @property
    def status(self) -> int:
        """HTTP status code."""
        return self.problem.status

    @property
    def request_id(self) -> str:
        """Names this request in the service's log; empty where unknown."""
        return self.problem.request_id


class InvalidRequest(Refused):
    """400 or 422: the request must be changed."""

    @property
    def errors(self) -> tuple[FieldError, ...]:
        """Which fields are invalid, and why."""
        return self.problem.errors


class Unauthorized(Refused):
    """401: no key, or one that is unknown or has expired."""


class Forbidden(Refused):
    """403: the key is not for this service."""


class NotFound(Refused):
    """404: the address is not that of the service."""


class TooLarge(Refused):
    """413: the question or picture is larger than the service takes."""


class UnsupportedPicture(Refused):
    """415: not a picture, or of a kind that the service does not take."""


class RateLimited(Refused):
    """429: the key has used up its rate."""

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait; None where the service did not say."""
        return self.problem.retry_after


class AtCapacity(Refused):
    """503: the service has no room at the moment, or is stopping."""

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait; None where the service did not say."""
        return self.problem.retry_after


class ServiceFailed(Refused):
    """Any other 5xx: a fault of the service or of what is in front of it."""


_BY_STATUS: Mapping[int, type[Refused]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    413: TooLarge,
    415: UnsupportedPicture,
    422: InvalidRequest,
    429: RateLimited,
    503: AtCapacity,
}


def refusal(problem: Problem) -> ScoringError:
    """The exception for an answer whose status is not 200."""
    if problem.status == 504:
        return DeadlineExceeded("the service gave up: its time for the request was over (504)")
    if problem.status in _BY_STATUS:
        return _BY_STATUS[problem.status](problem)
    if problem.status >= 500:
        return ServiceFailed(problem)
    if 300 <= problem.status < 400:
        return UnexpectedAnswer(
            f"the server answered {problem.status}, a redirect; use the address that it points to"
        )
    return Refused(problem)


def read_problem(
    status: int, document: object, *, retry_after: float | None, request_id: str
) -> Problem:
    """A :class:`Problem` from a decoded body, which may be anything."""
    fields: Mapping[str, Any] = {}
    if isinstance(document, dict):
        fields = cast("dict[str, Any]", document)
    detail = fields.get("detail") or fields.get("error")
    return Problem(
        status=status,
        detail=one_line(detail) if isinstance(detail, str) and detail else phrase(status),
        errors=_field_errors(fields.get("errors")),
        retry_after=retry_after,
        request_id=one_line(request_id)[:64],
    )


def phrase(status: int) -> str:
    """The standard phrase of a status code."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "an unknown status"


def one_line(text: str) -> str:
    """``text`` without line breaks and control characters, and of bounded length."""
    kept = "".join(letter if letter.isprintable() else " " for letter in text[:DETAIL_LIMIT])
    return " ".join(kept.split())


def _field_errors(entries: object) -> tuple[FieldError, ...]:
    if not isinstance(entries, list):
        return ()
    found: list[FieldError] = []
    for entry in cast("list[object]", entries)[:ERRORS_LIMIT]:
        if isinstance(entry, dict):
            fields = cast("dict[str, object]", entry)
            field, message = fields.get("field", ""), fields.get("message", "")
            found.append(FieldError(one_line(str(field)), one_line(str(message))))
    return tuple(found)


def _line(problem: Problem) -> str:
    parts = [problem.detail]
    if problem.errors:
        parts.append("; ".join(f"{each.field}: {each.message}" for each in problem.errors))
    if problem.retry_after is not None:
        parts.append(f"try again in {problem.retry_after:.3g} s")
    return f"{'; '.join(parts)} ({problem.status})"
