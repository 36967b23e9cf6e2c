"""The path of one scoring request: key, rate, body, admission, preparation, model, response."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Request, Response, g
from pydantic import BaseModel

from services.serving.api_keys import ApiKey, KeyRing
from services.serving.batching import Batcher
from services.serving.body import media_type, read_body
from services.serving.byte_budget import ByteBudget
from services.serving.header_values import HeaderValues
from services.serving.metrics import Metrics
from services.serving.model import JSON_TYPE, EncodedAnswer, Incoming, Operation, Timing, validate
from services.serving.problem import Problem
from services.serving.rate_limit import RateLimiter
from services.serving.slow_bodies import SlowBodies
from services.serving.versions import LATEST, LoadedModel, Versions

TIMEOUT_HEADER = "X-Request-Timeout-Ms"
LONGEST_MS = 600_000
JSON_OPTIONS = orjson.OPT_SERIALIZE_NUMPY


@dataclass(frozen=True)
class Limits:
    """What a request may use."""

    max_body_bytes: int
    deadline_seconds: float


@dataclass(frozen=True)
class Scored:
    """An answer and what the access log says of it."""

    response: Response
    key: ApiKey
    received_bytes: int


@dataclass(frozen=True)
class Scoring:
    """Answers scoring requests; one instance per service, used by many threads."""

    versions: Versions
    batcher: Batcher[Any, Any]
    byte_budget: ByteBudget
    keys: KeyRing
    limiter: RateLimiter
    limits: Limits
    slow_bodies: SlowBodies
    metrics: Metrics

    def answer(self, rule: str, names: Mapping[str, str], request: Request) -> Scored:
        """The response to one request.

        Args:
            rule: path of the operation.
            names: what the request's path says of the model: ``model_name``, ``model_version``.
            request: the request.

        Raises:
            Problem: the request is refused; see the OpenAPI document for every status.
        """
        began = time.perf_counter()
        key = self.keys.authenticate(request.headers)
        self.limiter.check(key.name, key.requests_per_second)
        seconds_allowed = self._seconds_allowed(request.headers)
        chosen = self._chosen(names)
        operation = chosen.operations[rule]
        with self.byte_budget.hold(self._most_bytes(request)) as held:
            incoming = self._read(operation, request)
            held.shrink_to(len(incoming.body))
            # From here on, because the body has a time limit of its own.
            deadline = time.monotonic() + seconds_allowed
            with self.batcher.admit(deadline) as admission:
                prepare_began = time.perf_counter()
                call = operation.prepare(incoming)
                prepared = time.perf_counter()
                outputs = admission.score(call.items, chosen.model.predict)
                scored = time.perf_counter()
        content = call.render(outputs, Timing((time.perf_counter() - began) * 1000))
        response = encoded_response(content)
        rendered = time.perf_counter()
        self.metrics.prepare_seconds.labels(rule).observe(prepared - prepare_began)
        self.metrics.render_seconds.labels(rule).observe(rendered - scored)
        response.headers["Server-Timing"] = (
            f"prepare;dur={(prepared - prepare_began) * 1000:.2f}, "
            f"model;dur={(scored - prepared) * 1000:.2f}, "
            f"total;dur={(rendered - began) * 1000:.2f}"
        )
        response.headers["X-Model-Version"] = chosen.version
        return Scored(response, key, len(incoming.body))

    def _most_bytes(self, request: Request) -> int:
        """What the body may take: as declared, or as much as any may where it does not say.

        A body over the limit is refused unread, so it takes nothing.
        """
        limit = self.limits.max_body_bytes
        declared = request.headers.get("Content-Length", "")
        is_plain = request.headers.get("Content-Encoding", "").strip().lower() in ("", "identity")
        if not (is_plain and declared.isascii() and declared.isdigit() and len(declared) <= 18):
            return limit
        return int(declared) if int(declared) <= limit else 0

    def _chosen(self, names: Mapping[str, str]) -> LoadedModel:
        return (
            self.versions.find(names["model_name"], names.get("model_version", LATEST))
            if names
            else self.versions.current
        )

    def _seconds_allowed(self, headers: HeaderValues) -> float:
        asked = headers.get(TIMEOUT_HEADER, str(LONGEST_MS))
        if not (asked.isascii() and asked.isdigit() and len(asked) <= len(str(LONGEST_MS))):
            raise Problem(400, f"{TIMEOUT_HEADER} must be a whole number.")
        if not 1 <= int(asked) <= LONGEST_MS:
            raise Problem(400, f"{TIMEOUT_HEADER} must be from 1 to {LONGEST_MS}.")
        return min(self.limits.deadline_seconds, int(asked) / 1000)

    def _read(self, operation: Operation[Any, Any], request: Request) -> Incoming:
        query = (
            validate(operation.query, request.args.to_dict())
            if operation.query is not None
            else None
        )
        with self.slow_bodies.reading() as reading:
            body = read_body(
                request.environ["wsgi.input"],
                declared=request.headers.get("Content-Length"),
                coding=request.headers.get("Content-Encoding", "").strip().lower(),
                limit=self.limits.max_body_bytes,
                timed_out=reading.timed_out,
            )
        name, options = media_type(request.headers.get("Content-Type", ""))
        return Incoming(name, options, body, query, request.headers, g.request_id)


def encoded_response(content: object) -> Response:
    """What an operation rendered, as its response."""
    if isinstance(content, EncodedAnswer):
        return Response(content.body, content_type=content.content_type, headers=content.headers)
    return Response(encode(content), content_type=JSON_TYPE)


def encode(content: object) -> bytes:
    """A response as JSON; not-a-number becomes null, never invalid JSON."""
    if isinstance(content, BaseModel):
        content = content.model_dump(exclude_none=False)
    return orjson.dumps(content, option=JSON_OPTIONS)
