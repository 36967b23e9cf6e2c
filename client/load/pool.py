"""A bounded set of connections; requests beyond them wait, and their wait is counted."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable

from client.address import Address
from client.load.connection import Connection
from client.load.recording import Outcome, Recording

SWEEP_SECONDS = 0.02


class Pool:
    """Connections to one service, opened when first needed.

    Args:
        address: the service.
        recording: where every request's fate is written.
        limit: most connections.
        timeout: seconds from its schedule after which a request is given up.
        on_end: called with the outcome of each request that ends.
    """

    def __init__(
        self,
        address: Address,
        recording: Recording,
        *,
        limit: int,
        timeout: float,
        on_end: Callable[[int], None],
    ) -> None:
        self._address = address
        self._recording = recording
        self._limit = limit
        self._timeout = timeout
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._tls = ssl.create_default_context() if address.scheme == "https" else None
        self._connections: set[Connection] = set()
        self._free: list[Connection] = []
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._closed = False
        self._sweeper = self._loop.call_later(SWEEP_SECONDS, self._sweep)

    def submit(self, number: int, request: bytes) -> None:
        """Send a request that was begun in the recording, now or when a connection is free."""
        while self._free:
            connection = self._free.pop()
            if not connection.closing:
                self._send(connection, number, request)
                return
        self._waiting.append((number, request))
        self._open_if_needed()

    def close(self) -> None:
        """Close every connection; what is under way or waiting ends as it would by timeout."""
        self._closed = True
        self._sweeper.cancel()
        for task in self._opening:
            task.cancel()
        while self._waiting:
            self._end(self._waiting.popleft()[0], Outcome.NEVER_SENT)
        for connection in list(self._connections):
            connection.give_up(Outcome.TIMED_OUT)

    def opened(self, connection: Connection) -> None:
        """A connection is open (see :class:`ConnectionListener`)."""
        self._connections.add(connection)
        if self._closed:
            connection.give_up(Outcome.TIMED_OUT)
        else:
            self._reuse(connection)

    def answered(self, connection: Connection, number: int, outcome: int) -> None:
        """A request ended (see :class:`ConnectionListener`)."""
        self._end(number, outcome)
        if not self._closed and not connection.closing:
            self._reuse(connection)

    def lost(self, connection: Connection) -> None:
        """A connection is gone (see :class:`ConnectionListener`)."""
        self._connections.discard(connection)
        self._open_if_needed()

    def _reuse(self, connection: Connection) -> None:
        if self._waiting:
            self._send(connection, *self._waiting.popleft())
        else:
            self._free.append(connection)

    def _send(self, connection: Connection, number: int, request: bytes) -> None:
        self._recording.sent[number] = self._loop.time()
        connection.send(number, request, self._recording.scheduled[number] + self._timeout)

    def _end(self, number: int, outcome: int) -> None:
        self._recording.end(number, outcome, self._loop.time())
        self._on_end(outcome)

    def _open_if_needed(self) -> None:
        has_room = len(self._connections) + len(self._opening) < self._limit
        if has_room and len(self._waiting) > len(self._opening) and not self._closed:
            task = self._loop.create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opening_ended)

    def _opening_ended(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        self._open_if_needed()

    async def _open(self) -> None:
        try:
            await self._loop.create_connection(
                lambda: Connection(self),
                self._address.host,
                self._address.port,
                ssl=self._tls,
                server_hostname=self._address.host if self._tls else None,
            )
        except OSError:
            if self._waiting:
                self._end(self._waiting.popleft()[0], Outcome.CONNECTION_FAILED)

    def _sweep(self) -> None:
        """Give up what has waited too long; looking at intervals is cheaper than a timer each."""
        now = self._loop.time()
        for connection in [each for each in self._connections if each.number >= 0]:
            if connection.expires <= now:
                connection.give_up(Outcome.TIMED_OUT)
        while self._waiting and self._has_expired(self._waiting[0][0], now):
            self._end(self._waiting.popleft()[0], Outcome.NEVER_SENT)
        if not self._closed:
            self._sweeper = self._loop.call_later(SWEEP_SECONDS, self._sweep)

    def _has_expired(self, number: int, now: float) -> bool:
        return self._recording.scheduled[number] + self._timeout <= now
