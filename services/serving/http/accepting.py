"""The socket that is listened on, and the connections that are taken from it."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from services.serving.http.limits import MOST_CONNECTIONS
from services.serving.http.socket_transport import SocketTransport

log = logging.getLogger("server")

MOST_AT_ONCE: Final = 64
"""Connections taken, and read, before all else has its turn again."""
NO_ROOM: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""What the system says where it has no room for another connection."""
RETRY_SECONDS: Final = 1.0
"""After which is tried again then."""


class Accepting:
    """Takes connections, each with a protocol of its own.

    Raises:
        OSError: the address cannot be listened on.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        host: str,
        port: int,
        protocol: Callable[[], asyncio.BufferedProtocol],
    ) -> None:
        self._loop = loop
        self._protocol = protocol
        self._socket = _listening_socket(host, port)
        self._retrying: asyncio.TimerHandle | None = None
        self._begin()

    def close(self) -> None:
        """Take no more, but those that the system has taken already."""
        if self._retrying is not None:
            self._retrying.cancel()
        if self._socket.fileno() < 0:
            return
        self._loop.remove_reader(self._socket.fileno())
        with suppress(OSError):
            for _ in range(MOST_CONNECTIONS):
                if not self._take():
                    break
        self._socket.close()

    def _begin(self) -> None:
        self._retrying = None
        self._loop.add_reader(self._socket.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(MOST_AT_ONCE):
            try:
                if not self._take():
                    return
            except OSError as error:
                log.error("no connection can be taken: %s", error.strerror)
                # The system goes on telling that somebody is there.
                self._loop.remove_reader(self._socket.fileno())
                self._retrying = self._loop.call_later(RETRY_SECONDS, self._begin)
                return

    def _take(self) -> bool:
        """Take one connection; returns whether there may be another one.

        Raises:
            OSError: the system has no room for it.
        """
        try:
            taken, peer = self._socket.accept()
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            # Else it is that connection's alone, which is gone (accept(2)).
            if error.errno in NO_ROOM:
                raise
            return True
        taken.setblocking(False)
        SocketTransport(self._loop, taken, peer, self._protocol()).begin()
        return True


def _listening_socket(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listening = socket.create_server(address, family=family, backlog=MOST_CONNECTIONS)
    listening.setblocking(False)
    # Those that are taken inherit it: an answer does not wait for the acknowledgement of the last one.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
