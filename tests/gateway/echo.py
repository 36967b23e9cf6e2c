"""A small server behind the gateway, which answers with what reached it."""

from __future__ import annotations

import functools
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from services.launch import ROOT
from tests.local_server import served

START_SECONDS = 30


@dataclass
class Echo:
    """What runs, and the requests that came: their paths, and with their methods before."""

    port: int
    requests: list[str] = field(default_factory=list[str])

    @property
    def seen(self) -> list[str]:
        return [request.partition(" ")[2] for request in self.requests]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with the request; ``?status=N`` chooses the status, ``?wait=S`` waits, and
        ``?held=1`` waits until the server is told to let go.
        """
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.note(f"{self.command} {self.path}")  # type: ignore[attr-defined]
        query = parse_qs(urlsplit(self.path).query)
        time.sleep(float(query.get("wait", ["0"])[0]))
        if "held" in query:
            self.server.let_go.wait(START_SECONDS)  # type: ignore[attr-defined]
        answer = json.dumps(
            {
                "path": self.path,
                "method": self.command,
                "bytes": len(body),
                "headers": {key.lower(): value for key, value in self.headers.items()},
            }
        ).encode()
        self.send_response(int(query.get("status", ["200"])[0]))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("Retry-After", "7")
        self.end_headers()
        with suppress(BrokenPipeError):  # the gateway has stopped waiting
            self.wfile.write(answer)

    do_POST = do_GET  # noqa: N815 - the name that http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address, _Handler)
        self.let_go = threading.Event()


@contextmanager
def echo_server() -> Iterator[Echo]:
    """One that runs until the end of the block."""
    server = _Server(("127.0.0.1", 0))
    echo = Echo(server.server_port)
    server.note = echo.requests.append  # type: ignore[attr-defined]
    with served(server):
        yield echo


@dataclass(frozen=True)
class EchoProcess:
    """One in a process of its own, which can be killed.

    Attributes:
        port: where it listens.
        log: every request that came, as soon as it came.
    """

    port: int
    log: Path
    process: subprocess.Popen[bytes]

    def requests(self) -> list[str]:
        return self.log.read_text().splitlines()

    def let_go(self) -> None:
        """Answer what it holds, and hold nothing any more."""
        self.process.send_signal(signal.SIGUSR1)


def start_echo(port: int, folder: Path) -> EchoProcess:
    """Start one on a port, and wait until it listens."""
    log = folder / f"echo-{port}.log"
    command = [sys.executable, "-m", "tests.gateway.echo", str(port)]
    with log.open("ab") as stream:
        process = subprocess.Popen(command, cwd=ROOT, stdout=stream, stderr=stream)
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 5):
            return EchoProcess(port, log, process)
        time.sleep(0.05)
    process.kill()
    raise TimeoutError(f"no echo on port {port}: {log.read_text()[-500:]}")


if __name__ == "__main__":
    alone = _Server(("127.0.0.1", int(sys.argv[1])))
    alone.note = functools.partial(print, flush=True)  # type: ignore[attr-defined]
    signal.signal(signal.SIGUSR1, lambda *_: alone.let_go.set())
    alone.serve_forever()
