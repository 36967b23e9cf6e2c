"""The open loop: requests are sent when they are due, whether or not others were answered."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Callable, Sequence

from client.address import Address
from client.load.pool import Pool
from client.load.recording import Recording

START_DELAY = 0.05
BURST = 64
"""Requests sent in one go before answers are read, when the generator is behind."""


class OpenLoop:
    """One run of a schedule.

    Args:
        address: the service.
        requests: wire form of the requests, sent in turn.
        times: the schedule, seconds from its start, ascending.
        connections: most connections at once.
        timeout: seconds from its schedule after which a request is given up.
        on_progress: called now and then with the number of requests that have ended.
    """

    def __init__(
        self,
        address: Address,
        requests: Sequence[bytes],
        times: array[float],
        *,
        connections: int,
        timeout: float,
        on_progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._requests = requests
        self._times = times
        self._on_progress = on_progress
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._next = 0
        self.recording = Recording()
        self.began = 0.0
        self._pool = Pool(
            address,
            self.recording,
            limit=connections,
            timeout=timeout,
            on_end=self._ended,
        )

    async def run(self) -> Recording:
        """Run the schedule; returns once every request has ended."""
        try:
            self.began = self._loop.time() + START_DELAY
            if self._times:
                self._loop.call_at(self.began + self._times[0], self._dispatch)
                await self._done
        finally:
            self._next = len(self._times)
            self._pool.close()
        return self.recording

    def _dispatch(self) -> None:
        """Send what is due, then sleep until the next request is."""
        for _ in range(BURST):
            if self._next >= len(self._times):
                return
            due = self.began + self._times[self._next]
            now = self._loop.time()
            if due > now:
                self._loop.call_at(due, self._dispatch)
                return
            number = self.recording.begin(due, now)
            self._next += 1
            self._pool.submit(number, self._requests[number % len(self._requests)])
        self._loop.call_soon(self._dispatch)

    def _ended(self, _outcome: int) -> None:
        ended = len(self.recording) - self.recording.unfinished
        if ended % 100 == 0:
            self._on_progress(ended)
        is_last = self._next >= len(self._times) and self.recording.unfinished == 0
        if is_last and not self._done.done():
            self._done.set_result(None)
