"""Listening, and an orderly end.

A listener that closes at once loses what is on its way: a load balancer learns of the end only later.
So it drains first: readiness goes, requests are still taken and answered, each with
``Connection: close``. Then nothing new is taken, and what is under way is finished.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from email.utils import formatdate

from services.serving.http.accepting import Accepting
from services.serving.http.connection import Connection
from services.serving.http.exchange import Site
from services.serving.http.glance import Glance
from services.serving.http.limits import MOST_CONNECTIONS, Patience

log = logging.getLogger("server")

SWEEP_SECONDS = 0.5
"""How often is looked for connections whose patience is over."""
READ_BYTES = 256 << 10
"""Most bytes that are read at once."""
STRAGGLERS_SECONDS = 0.05
"""For connections that the system took before the end, and requests on their way in."""


class Listener:
    """The connections of one port.

    Args:
        site: what answers.
        patience: how long clients are waited for.
        is_draining: whether connections are to end with their next reply.

    Attributes:
        buffer: where what arrives is put, for the moment in which its connection looks at it.
        glance: a first look, for all connections.
    """

    def __init__(self, site: Site, patience: Patience, is_draining: Callable[[], bool]) -> None:
        self.site = site
        self.patience = patience
        self.is_draining = is_draining
        self.buffer = memoryview(bytearray(READ_BYTES))
        self.glance = Glance()
        self._connections: set[Connection] = set()
        self._date = (0, "")

    async def open(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            OSError: the address cannot be listened on.
        """
        loop = asyncio.get_running_loop()
        self._accepting = Accepting(loop, host, port, lambda: Connection(self))
        self._sweeping = loop.create_task(self._sweep())

    async def close(self, within_seconds: float) -> None:
        """Take no more connections, finish what is under way, end all connections."""
        await asyncio.sleep(STRAGGLERS_SECONDS)
        self._accepting.close()
        until = time.monotonic() + within_seconds
        while self._connections and time.monotonic() < until:
            for connection in tuple(self._connections):
                if connection.is_idle:
                    connection.close()
            await asyncio.sleep(0.01)
        self._sweeping.cancel()
        if self._connections:
            log.warning("requests given up", extra={"connections": len(self._connections)})

    def add(self, connection: Connection) -> None:
        """A connection has begun; one too many is ended."""
        self._connections.add(connection)
        if len(self._connections) > MOST_CONNECTIONS:
            connection.close()

    def remove(self, connection: Connection) -> None:
        """A connection is over."""
        self._connections.discard(connection)

    def date(self) -> str:
        """The present time as the Date header has it; made once a second."""
        now = int(time.time())
        if self._date[0] != now:
            self._date = (now, formatdate(now, usegmt=True))
        return self._date[1]

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = time.monotonic()
            for connection in tuple(self._connections):
                if connection.deadline is not None and connection.deadline < now:
                    self._expire(connection)

    @staticmethod
    def _expire(connection: Connection) -> None:
        try:
            connection.expire()
        except Exception as error:
            log.error("unexpected error", exc_info=error)
            connection.close()
