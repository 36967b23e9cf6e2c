"""The first thing that a request meets: refusal at capacity, and the farewell while draining.

A refusal must cost far less than an answer, or a service that gets three times what it can do
would spend its time refusing. So it is given before routing, keys and body.
"""

from __future__ import annotations

import itertools
import logging
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from services.serving.batching import Batcher, at_capacity
from services.serving.body import WatchedBody
from services.serving.lifecycle import Lifecycle
from services.serving.problem import problem_type, whole_seconds
from services.serving.scoring_paths import ScoringPaths
from services.serving.slow_bodies import SlowBodies

log = logging.getLogger(__name__)

REPORT_SECONDS = 1.0
DISCARDED_BYTES = 256 << 10
"""A refused request's body of up to this size is read, so that its connection can go on."""
REFUSAL = at_capacity(0).body("ID").split(b"ID")
"""The answer, made once, in front of and behind the request's id."""
READERS = 2
"""Most threads that read such bodies at once; each read waits for the interpreter once more."""
ONE_PACKET = 8 << 10
FOLLOWING_SECONDS = 0.02
Write = Callable[[bytes], object]


class Gate:
    """A WSGI application around another one.

    Args:
        application: what answers the requests that pass.
        paths: what needs the model; only POST requests to these are ever refused.
        batcher: says whether there is room.
        places: most requests under way to these paths at once, so that clients whose bodies are
            slow to arrive leave threads for the probes.
        slow_bodies: bounds the reading of refused requests' bodies.
        on_refusal: called with the rule that each refused request's path follows.

    Attributes:
        in_flight: requests that passed and are not answered yet.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        paths: ScoringPaths,
        batcher: Batcher[Any, Any],
        places: int,
        slow_bodies: SlowBodies,
        on_refusal: Callable[[str], None],
    ) -> None:
        self._application = application
        self._paths = paths
        self._batcher = batcher
        self._places = threading.Semaphore(places)
        self._slow_bodies = slow_bodies
        self._unread = threading.Semaphore(READERS)
        self._on_refusal = on_refusal
        self._process_id = secrets.token_hex(4)
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._refused = 0
        self.in_flight = 0
        self._reported_at = 0.0
        self._last_refusal = -math.inf

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, or refuse it."""
        if environ["REQUEST_METHOD"] != "POST":
            return self._application(environ, start_response)
        rule = self._paths.rule(environ["PATH_INFO"])
        if rule is None:
            return self._application(environ, start_response)
        if self._batcher.is_full or not self._places.acquire(blocking=False):
            return self._refuse(rule, environ, start_response)
        with self._lock:
            self.in_flight += 1
        try:
            return _whole(self._application(environ, start_response))
        finally:
            with self._lock:
                self.in_flight -= 1
            self._places.release()

    def _refuse(
        self, rule: str, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        request_id = f"{self._process_id}{next(self._numbers):08x}"
        body = request_id.encode().join(REFUSAL)
        self._on_refusal(rule)
        self._report()
        headers = [
            ("Content-Type", problem_type(rule)),
            ("Content-Length", str(len(body))),
            ("Retry-After", whole_seconds(self._batcher.expected_wait_seconds)),
            ("X-Request-Id", request_id),
            ("Cache-Control", "no-store"),
        ]
        if not self._discard(WatchedBody(environ)):
            headers.append(("Connection", "close"))
        start_response("503 Service Unavailable", headers)
        return [body]

    def _discard(self, body: WatchedBody) -> bool:
        """Read a small body to its end, so that the connection can be used again.

        A new connection for every refusal would cost an overloaded service more than the reading.
        And where one refusal follows the other, each waits so long for the interpreter that a
        body of one packet has arrived, and the server drops it by itself.
        """
        now = time.monotonic()
        follows = now - self._last_refusal < FOLLOWING_SECONDS
        self._last_refusal = now
        if body.is_complete or (follows and 0 < body.missing <= ONE_PACKET):
            return True
        if not 0 < body.missing <= DISCARDED_BYTES or not self._unread.acquire(blocking=False):
            return False
        try:
            with self._slow_bodies.reading():
                body.read(body.missing)
        except OSError:
            return False
        finally:
            self._unread.release()
        return body.is_complete

    def _report(self) -> None:
        """Log refusals as a count a second: a line each would cost as much as the answer."""
        now = time.monotonic()
        with self._lock:
            self._refused += 1
            if now - self._reported_at < REPORT_SECONDS:
                return
            refused, self._refused, self._reported_at = self._refused, 0, now
        log.warning("requests refused at capacity", extra={"refused": refused})


def _whole(pieces: Iterable[bytes]) -> list[bytes]:
    """The body in one piece: granian sends a list with the headers, an iterator after them."""
    try:
        return [b"".join(pieces)]
    finally:
        if (close := getattr(pieces, "close", None)) is not None:
            close()


def closing_while_draining(application: WSGIApplication, lifecycle: Lifecycle) -> WSGIApplication:
    """Tell clients to reconnect elsewhere once the service drains."""

    def closing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not lifecycle.draining:
            return application(environ, start_response)

        def start(
            status: str,
            headers: list[tuple[str, str]],
            exc_info: tuple[type[BaseException], BaseException, TracebackType]
            | tuple[None, None, None]
            | None = None,
            /,
        ) -> Write:
            return start_response(status, [*headers, ("Connection", "close")], exc_info)

        return application(environ, start)

    return closing
