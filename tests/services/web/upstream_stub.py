"""A scoring service that fails on request: real HTTP, the services' contract, any fault."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.local_server import address_of, served

MATCHES: dict[str, object] = {
    "matches": [
        {
            "question_id": 1,
            "answer_id": 500001,
            "title": "Why does sort() put 10 before 2, and how do I sort numbers correctly?",
            "url": "https://example.org/q/1",
            "score": 0.93,
            "answer": "<p>Without a function, <code>sort</code> compares <em>strings</em>.</p>",
        },
        {
            "question_id": 2,
            "answer_id": 500002,
            "title": "How do I sort an array of objects by the value of a property?",
            "url": None,
            "score": 0.08,
            "answer": "<p>Pass a function that compares two of them.</p>",
        },
    ],
    "low_signal": False,
    "model": {"name": "faq", "version": "1"},
}
PREDICTIONS: dict[str, object] = {
    "predictions": [
        {"class_id": "n11939491", "label": "daisy", "score": 0.81},
        {"class_id": "n11879895", "label": "rapeseed", "score": 0.004},
    ],
    "model": {"name": "resnet", "version": "1"},
}


@dataclass(frozen=True)
class Received:
    """One request as the stub got it."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What the stub does with one request."""

    status: int = 200
    content: object = None
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    trickle_seconds: float = 0.0
    cut: bool = False


def contract(received: Received) -> Answer:
    """The answers of the real services, in shape."""
    if received.path.startswith("/v1/match"):
        return Answer(content=MATCHES)
    return Answer(content=PREDICTIONS)


def problem(status: int, detail: str, **headers: str) -> Answer:
    """A refusal as the services word it."""
    content = {"type": "about:blank", "status": status, "detail": detail, "error": detail}
    return Answer(
        status,
        content,
        headers={
            "Content-Type": "application/problem+json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )


@dataclass
class UpstreamStub:
    """A running stub: what it got, and what it does next."""

    url: str
    answer: Callable[[Received], Answer] = contract
    received: list[Received] = field(default_factory=list)

    def always(self, answer: Answer) -> None:
        """Do the same with every request from now on."""
        self.answer = lambda received: answer


def _handler(stub: UpstreamStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            received = Received(self.path, dict(self.headers.items()), body)
            stub.received.append(received)
            answer = stub.answer(received)
            time.sleep(answer.delay_seconds)
            if answer.cut:
                self.close_connection = True
                return
            content = answer.raw if answer.raw is not None else json.dumps(answer.content).encode()
            headers = {
                "Content-Type": "application/json",
                "X-Request-Id": received.headers.get("X-Request-Id", ""),
                "Content-Length": str(len(content)),
                **answer.headers,
            }
            self.send_response(answer.status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self._send(content, answer.trickle_seconds)

        def _send(self, content: bytes, trickle_seconds: float) -> None:
            try:
                if not trickle_seconds:
                    self.wfile.write(content)
                    return
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    time.sleep(trickle_seconds)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep the test's output clean."""

    return Handler


@contextmanager
def running_stub() -> Generator[UpstreamStub]:
    """A stub on a free port of 127.0.0.1."""
    stub = UpstreamStub("")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stub))
    server.daemon_threads = True
    stub.url = address_of(server)
    with served(server):
        yield stub
