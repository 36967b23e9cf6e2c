"""A real HTTP server on loopback that behaves as a test tells it to."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from client.command_line.main import main
from services.launch import free_ports
from tests.local_server import address_of, served

ROOT = Path(__file__).parents[2]
CHUNK_SECONDS = 0.05

MATCHES: dict[str, object] = {
    "matches": [
        {
            "question_id": 1001,
            "answer_id": 2001,
            "title": "What is the difference between var and let?",
            "url": "https://example.org/questions/1001",
            "score": 0.875,
            "answer": "<p>Use <code>let</code> &amp; avoid <code>var</code>.</p>",
        },
        {"question_id": 7, "answer_id": 8, "title": "Loops", "url": None, "score": 0.125},
    ],
    "low_signal": False,
    "model": {"name": "faq", "version": "3"},
}
PREDICTIONS: dict[str, object] = {
    "predictions": [
        {"class_id": 985, "label": "daisy", "score": 0.75},
        {"class_id": 309, "label": "bee", "score": 0.25},
    ],
    "model": {"name": "resnet", "version": "1"},
}


@dataclass(frozen=True)
class Received:
    """A request as the server saw it; header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float


class Exchange(BaseHTTPRequestHandler):
    """One request at the server, and ways to answer it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Service

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.append(Received(self.path, headers, self.body, time.monotonic()))
        self.server.behaviour(self)

    def as_expected(self) -> None:
        """What the real services answer."""
        self.answer(MATCHES if self.path.startswith("/v1/match") else PREDICTIONS)

    def answer(
        self,
        document: object,
        status: int = 200,
        content_type: str = "application/json",
        **headers: str,
    ) -> None:
        """An answer; a document of bytes goes out as it is."""
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def problem(self, status: int, detail: str = "Not now.", **headers: str) -> None:
        """A refusal as the services make it."""
        document = {"status": status, "title": "…", "detail": detail, "error": detail}
        self.answer(document, status, "application/problem+json", **headers)

    def cut(self) -> None:
        """No answer; the connection is closed."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def raw(self, content: bytes) -> None:
        """These bytes instead of an answer, then the end of the connection."""
        self.close_connection = True
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""


class Service(ThreadingHTTPServer):
    """Set ``behaviour`` to what a test needs; ``received`` is what came."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.behaviour: Callable[[Exchange], None] = Exchange.as_expected
        self.received: list[Received] = []

    @property
    def url(self) -> str:
        return address_of(self)

    def in_turn(self, *behaviours: Callable[[Exchange], None]) -> None:
        """The first request gets the first behaviour, …; the last one is repeated."""
        left = list(behaviours)
        self.behaviour = lambda exchange: (left.pop(0) if len(left) > 1 else left[0])(exchange)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are part of the tests."""


@contextmanager
def serving() -> Iterator[Service]:
    """A server in a thread of its own."""
    with served(Service()) as server:
        yield server


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def shared_service() -> Iterator[Service]:
    """One for the tests of a module that only look at what was measured."""
    with serving() as server:
        yield server


@pytest.fixture
def closed_url() -> str:
    """An address at which nothing listens."""
    return f"http://127.0.0.1:{free_ports(1)[0]}"


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run() -> Run:
    """Runs ``python -m client`` with an environment that holds no settings but those given."""

    def run(
        *arguments: str | Path, stdin: bytes = b"", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "client", *map(str, arguments)],
            cwd=ROOT, input=stdin, capture_output=True, timeout=60, check=False,
            env={"PYTHONIOENCODING": "utf-8", "COLUMNS": "100", **environment},
        )  # fmt: skip
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    return run


@dataclass(frozen=True)
class Called:
    """What a command line did."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Called]:
    """Runs a command line in this process, which is faster where only its words matter."""

    def call(*arguments: str) -> Called:
        try:
            status = main(arguments)
        except SystemExit as ended:
            status = int(ended.code or 0)
        return Called(status, *capsys.readouterr())

    return call
