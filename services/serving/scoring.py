"""The steps of one scoring request: key, rate, body, admission, preparation, model, response."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Request, g
from pydantic import BaseModel

from services.serving.admission import Admission
from services.serving.answered import Stages
from services.serving.api_keys import ApiKey, KeyRing
from services.serving.batching import Batcher
from services.serving.body import decoded, media_type, read_body, require_known
from services.serving.byte_budget import ByteBudget
from services.serving.header_values import HeaderValues
from services.serving.model import JSON_TYPE, Call, EncodedAnswer, Incoming, Timing, validate
from services.serving.problem import Problem
from services.serving.rate_limit import RateLimiter
from services.serving.ticket import Predict
from services.serving.versions import LATEST, LoadedModel, Versions

TIMEOUT_HEADER = "X-Request-Timeout-Ms"
LONGEST_MS = 600_000
NOT_ASKED = str(LONGEST_MS)
"""What stands for a header that is not there."""
JSON_OPTIONS = orjson.OPT_SERIALIZE_NUMPY


@dataclass(frozen=True)
class Limits:
    """What a request may use."""

    max_body_bytes: int
    deadline_seconds: float


@dataclass(slots=True)
class Scored:
    """An answer."""

    body: bytes
    content_type: str
    headers: Sequence[tuple[str, str]]
    stages: Stages


@dataclass(frozen=True)
class Scoring:
    """What scoring requests meet; one instance per service, used by many threads."""

    versions: Versions
    batcher: Batcher[Any, Any]
    byte_budget: ByteBudget
    keys: KeyRing
    limiter: RateLimiter
    limits: Limits

    def open(
        self, rule: str, names: Mapping[str, str], headers: HeaderValues, declared: int | None
    ) -> ScoringRequest:
        """Begin with a request, of which only the head is known. It must be closed.

        Args:
            rule: path of the operation.
            names: what the request's path says of the model: ``model_name``, ``model_version``.
            headers: the request's.
            declared: bytes of the body; None where it does not say.

        Raises:
            Problem: the request is refused; see the OpenAPI document for every status.
        """
        return ScoringRequest(self, rule, names, headers, declared)

    def answer(self, rule: str, names: Mapping[str, str], request: Request) -> Scored:
        """The answer to a request of Flask's, in the thread that asks.

        Raises:
            Problem: the request is refused.
        """
        scoring = self.open(rule, names, request.headers, request.content_length)
        try:
            body = read_body(
                request.environ["wsgi.input"],
                declared=request.headers.get("Content-Length"),
                coding=scoring.coding,
                limit=self.limits.max_body_bytes,
            )
            g.key_name, g.received_bytes = scoring.key.name, len(body)
            scoring.admit()
            scoring.prepare(body, request.args.to_dict(), g.request_id)
            scored = scoring.render(scoring.admission.score(scoring.items, scoring.predict))
            g.stages = scored.stages
            return scored
        finally:
            scoring.close()


class ScoringRequest:
    """One request on its way, one step after the other: see :meth:`Scoring.open`.

    Attributes:
        key: whose it is.
        coding: of the body, lower case; empty for none.
        received_bytes: of the body, decompressed.
    """

    def __init__(
        self,
        scoring: Scoring,
        rule: str,
        names: Mapping[str, str],
        headers: HeaderValues,
        declared: int | None,
    ) -> None:
        self._began = time.perf_counter()
        self._scoring = scoring
        self._rule = rule
        self._headers = headers
        self.received_bytes = 0
        self.key: ApiKey = scoring.keys.authenticate(headers)
        scoring.limiter.check(self.key.name, self.key.requests_per_second)
        self._seconds_allowed = self._allowed(headers)
        self._chosen = self._find(names)
        self._operation = self._chosen.operations[rule]
        self.coding = headers.get("Content-Encoding", "").strip().lower()
        require_known(self.coding)
        self._admission: Admission[Any, Any] | None = None
        self._held = scoring.byte_budget.hold(self._most_bytes(declared))

    def decode(self, body: bytes) -> bytes:
        """A body as it was sent, decompressed.

        Raises:
            Problem: it is corrupt, or too large.
        """
        return decoded(body, self.coding, self._scoring.limits.max_body_bytes)

    def admit(self) -> None:
        """Take a place, now that the body is there, and let the time to answer begin.

        Raises:
            Problem: 503, there is none.
        """
        # Only now, because the body has a time limit of its own.
        self.deadline = time.monotonic() + self._seconds_allowed
        self._admission = self._scoring.batcher.admit(self.deadline)

    def prepare(self, body: bytes, query: Mapping[str, str], request_id: str) -> None:
        """Make items of the body, which is decompressed.

        Raises:
            Problem: the body is not what the operation takes.
        """
        self._held.shrink_to(len(body))
        self.received_bytes = len(body)
        operation = self._operation
        checked = validate(operation.query, query) if operation.query is not None else None
        name, options = media_type(self._headers.get("Content-Type", ""))
        incoming = Incoming(name, options, body, checked, self._headers, request_id)
        self._prepare_began = time.perf_counter()
        self._call: Call[Any, Any] = operation.prepare(incoming)
        self._prepared = time.perf_counter()

    @property
    def admission(self) -> Admission[Any, Any]:
        """Its places in the batcher, once it is admitted."""
        if self._admission is None:
            raise RuntimeError("the request is not admitted")
        return self._admission

    @property
    def prepares_in_turn(self) -> bool:
        """Whether the batcher prepares it, which depends on the version of the model."""
        return self._chosen.model.prepares_in_turn

    @property
    def items(self) -> Sequence[Any]:
        """What the model has to score."""
        return self._call.items

    @property
    def predict(self) -> Predict[Any, Any]:
        """Scores a batch, by the version of the model that was asked for."""
        return self._chosen.model.predict

    def render(self, outputs: Sequence[Any]) -> Scored:
        """The answer that the model's outputs are."""
        scored = time.perf_counter()
        content = self._call.render(outputs, Timing((scored - self._began) * 1000))
        body, content_type, headers = encoded(content)
        rendered = time.perf_counter()
        stages = Stages(self._prepared - self._prepare_began, rendered - scored)
        timing = (
            f"prepare;dur={stages.prepare * 1000:.2f}, "
            f"model;dur={(scored - self._prepared) * 1000:.2f}, "
            f"total;dur={(rendered - self._began) * 1000:.2f}"
        )
        return Scored(
            body,
            content_type,
            [*headers, ("Server-Timing", timing), ("X-Model-Version", self._chosen.version)],
            stages,
        )

    def close(self) -> None:
        """Give back places and bytes, however it went."""
        self._held.shrink_to(0)
        if self._admission is not None:
            self._admission.release()

    def _most_bytes(self, declared: int | None) -> int:
        """What the body may take: as declared, or as much as any may where it does not say.

        A body over the limit is refused unread, so it takes nothing.
        """
        limit = self._scoring.limits.max_body_bytes
        if self.coding not in ("", "identity") or declared is None:
            return limit
        return declared if declared <= limit else 0

    def _find(self, names: Mapping[str, str]) -> LoadedModel:
        versions = self._scoring.versions
        if not names:
            return versions.current
        return versions.find(names["model_name"], names.get("model_version", LATEST))

    def _allowed(self, headers: HeaderValues) -> float:
        """Seconds that the request may take.

        Raises:
            Problem: 400 if it asks for nonsense.
        """
        asked = headers.get(TIMEOUT_HEADER, NOT_ASKED)
        if asked is NOT_ASKED:
            return self._scoring.limits.deadline_seconds
        if not (asked.isascii() and asked.isdigit()):
            raise Problem(400, f"{TIMEOUT_HEADER} must be a whole number.")
        # The length first: Python makes no number of thousands of digits.
        if len(asked) > len(str(LONGEST_MS)) or not 1 <= int(asked) <= LONGEST_MS:
            raise Problem(400, f"{TIMEOUT_HEADER} must be from 1 to {LONGEST_MS}.")
        return min(self._scoring.limits.deadline_seconds, int(asked) / 1000)


def encoded(content: object) -> tuple[bytes, str, Sequence[tuple[str, str]]]:
    """What an operation rendered, as body, media type and headers of its response."""
    if isinstance(content, EncodedAnswer):
        return content.body, content.content_type, list(content.headers.items())
    return encode(content), JSON_TYPE, ()


def encode(content: object) -> bytes:
    """A response as JSON; not-a-number becomes null, never invalid JSON."""
    if isinstance(content, BaseModel):
        content = content.model_dump(exclude_none=False)
    return orjson.dumps(content, option=JSON_OPTIONS)
