"""WSGI applications (PEP 3333) as sites: each request in a thread, its body read before."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from services.serving.byte_budget import ByteBudget, HeldBytes
from services.serving.http.exchange import Exchange, Send
from services.serving.http.message import Address, Head, Reply, problem_reply
from services.serving.mailbox import Mailbox
from services.serving.problem import Problem, service_failed
from services.serving.request_id import new_request_id

log = logging.getLogger(__name__)

BODY_PROBLEM = "scoring.body_problem"
"""Where the environment of a request without its body says why, as a :class:`Problem`."""


class WsgiSite:
    """Asks a WSGI application.

    Args:
        application: what answers.
        threads: requests that are answered at once.
        most_bytes: largest body; 0 where no path takes one.
        byte_budget: bounds the bodies that are held at once.
        uncounted_bytes: of a body that needs no place in it, so that large ones do not keep out
            every small one.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        threads: int,
        most_bytes: int = 0,
        byte_budget: ByteBudget | None = None,
        uncounted_bytes: int = 0,
    ) -> None:
        self._application = application
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._most_bytes = most_bytes
        self._byte_budget = byte_budget
        self._uncounted_bytes = uncounted_bytes

    def open(self, head: Head, send: Send) -> Exchange:
        """Begin with a request."""
        is_small = head.declared is not None and head.declared <= self._uncounted_bytes
        budget = None if is_small else self._byte_budget
        return _WsgiExchange(head, send, self._ask, most_bytes=self._most_bytes, budget=budget)

    @property
    def is_at_capacity(self) -> bool:
        """Never: what comes waits for a thread."""
        return False

    def refusal(self, target: bytes) -> Reply | None:  # noqa: ARG002 - the protocol's name
        """None: as above."""
        return None

    def refuse(self, problem: Problem, client: Address) -> Reply:
        """The reply to what is no request; the application never hears of it."""
        request_id = new_request_id()
        log.info(
            "not a request",
            extra={"request_id": request_id, "client": client[0], "status": problem.status},
        )
        reply = problem_reply(problem, request_id=request_id)
        reply.headers.append(("X-Request-Id", request_id))
        return reply

    def _ask(self, environ: WSGIEnvironment, done: Callable[[Reply], None]) -> None:
        mailbox = Mailbox(asyncio.get_running_loop())

        def answer() -> None:
            reply = _reply_of(self._application, environ)
            mailbox.put(lambda: done(reply))

        self._pool.submit(answer)


class _WsgiExchange:
    def __init__(
        self,
        head: Head,
        send: Send,
        ask: Callable[[WSGIEnvironment, Callable[[Reply], None]], None],
        *,
        most_bytes: int,
        budget: ByteBudget | None,
    ) -> None:
        self._head = head
        self._send = send
        self._ask = ask
        self._held: HeldBytes | None = None
        self._is_asked = False
        self.most_bytes = most_bytes if head.declared != 0 else 0
        if budget is not None and self.most_bytes:
            most = self.most_bytes if head.declared is None else head.declared
            try:
                self._held = budget.hold(most if most <= self.most_bytes else 0)
            except Problem as problem:
                self.most_bytes = 0
                self.fail(problem)

    def receive(self, body: bytes) -> None:
        if not self._is_asked:
            self._is_asked = True
            self._ask(environ_of(self._head, body), self._finish)

    def fail(self, problem: Problem) -> None:
        if not self._is_asked:
            self._is_asked = True
            environ = environ_of(self._head, b"")
            environ[BODY_PROBLEM] = problem
            self._ask(environ, self._finish)

    def abandon(self) -> None:
        # The application still has what it was asked with; `_finish` gives it back.
        if not self._is_asked:
            self._release()

    def _finish(self, reply: Reply) -> None:
        self._release()
        self._send(reply)

    def _release(self) -> None:
        if self._held is not None:
            self._held.shrink_to(0)


def environ_of(head: Head, body: bytes) -> WSGIEnvironment:
    """The environment of a request, as PEP 3333 has it.

    Headers with an underscore are left out: they could not be told from those with a hyphen.
    """
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": head.raw_path,
        "QUERY_STRING": head.query,
        "SERVER_PROTOCOL": f"HTTP/{head.version}",
        "SERVER_NAME": head.server[0],
        "SERVER_PORT": str(head.server[1]),
        "REMOTE_ADDR": head.client[0],
        "REMOTE_PORT": str(head.client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in head.headers.items():
        if "_" not in name and name not in ("content-type", "content-length", "transfer-encoding"):
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    if content_type := head.headers.get("content-type"):
        environ["CONTENT_TYPE"] = content_type
    if body or head.headers.get("content-length"):
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def _reply_of(application: WSGIApplication, environ: WSGIEnvironment) -> Reply:
    """The application's reply, as a whole."""
    reply = Reply(500)

    def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
        reply.status, reply.headers = int(status[:3]), headers
        return _write_nothing

    try:
        reply.body = _whole(application(environ, start))
    except Exception as error:
        log.error("unexpected error", exc_info=error)
        return problem_reply(service_failed())
    return reply


def _write_nothing(_: bytes) -> None:
    """What PEP 3333 calls ``write``, for old frameworks; Flask does not use it."""


def _whole(pieces: Iterable[bytes]) -> bytes:
    try:
        return b"".join(pieces)
    finally:
        if (close := getattr(pieces, "close", None)) is not None:
            close()
