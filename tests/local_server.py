"""HTTP servers of a test's own, in a thread of the test's process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer
from typing import TypeVar

ServerT = TypeVar("ServerT", bound=HTTPServer)

POLL_SECONDS = 0.02
"""How often the thread looks whether it should end."""


@contextmanager
def served(server: ServerT) -> Iterator[ServerT]:
    """Serve until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def address_of(server: HTTPServer) -> str:
    """Where a server on 127.0.0.1 is reached."""
    return f"http://127.0.0.1:{server.server_port}"
