"""A small server behind the gateway, which answers with what reached it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Echo:
    """What runs, and the paths of the requests that came."""

    port: int
    seen: list[str] = field(default_factory=list[str])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with the request; ``?status=N`` chooses the status, ``?wait=S`` waits."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append(self.path)  # type: ignore[attr-defined]
        query = parse_qs(urlsplit(self.path).query)
        time.sleep(float(query.get("wait", ["0"])[0]))
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


@contextmanager
def echo_server() -> Iterator[Echo]:
    """One that runs until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    echo = Echo(server.server_port)
    server.seen = echo.seen  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield echo
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
