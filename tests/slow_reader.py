"""A server that takes what it is sent slowly."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread


@contextmanager
def slow_reader(pause_seconds: float = 0.1) -> Iterator[str]:
    """The address of what reads 64 KiB after each pause, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)

        def read() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    while connection.recv(1 << 16):
                        time.sleep(pause_seconds)

        reader = Thread(target=read)
        reader.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    reader.join()
