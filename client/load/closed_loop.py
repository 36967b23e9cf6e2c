"""The closed loop: so many callers, each of which asks again as soon as it is answered.

It finds the most that a service can do, because it never asks for more; for the same reason its
latencies say nothing about a service whose callers do not wait for one another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus

from client.address import Address
from client.load.pool import Pool
from client.load.recording import Recording

PAUSE_AFTER_FAILURE = 0.05
"""A caller that was refused waits for so long, or refusals alone would keep the service busy."""


class ClosedLoop:
    """One level of concurrency for some seconds.

    Args:
        address: the service.
        requests: wire form of the requests, sent in turn.
        callers: requests under way at any time.
        seconds: for how long new requests are sent.
        timeout: seconds after which a request is given up.
        most: end early rather than send more requests.
    """

    def __init__(
        self,
        address: Address,
        requests: Sequence[bytes],
        *,
        callers: int,
        seconds: float,
        timeout: float,
        most: int,
    ) -> None:
        self._requests = requests
        self._callers = callers
        self._seconds = seconds
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._pausing = 0
        self._ends = 0.0
        self.recording = Recording()
        self.began = 0.0
        self._pool = Pool(
            address, self.recording, limit=callers, timeout=timeout, on_end=self._ended
        )

    async def run(self) -> Recording:
        """Run; returns once every request has ended."""
        try:
            self.began = self._loop.time()
            self._ends = self.began + self._seconds
            for _ in range(self._callers):
                self._ask()
            await self._done
        finally:
            self._ends = 0.0
            self._pool.close()
        return self.recording

    def _ask(self) -> None:
        now = self._loop.time()
        if now < self._ends and len(self.recording) < self._most:
            number = self.recording.begin(now, now)
            self._pool.submit(number, self._requests[number % len(self._requests)])
        elif not (self.recording.unfinished or self._pausing or self._done.done()):
            self._done.set_result(None)

    def _ended(self, outcome: int) -> None:
        if outcome == HTTPStatus.OK:
            # Not at once: the connection that was just answered must become free first.
            self._loop.call_soon(self._ask)
        else:
            self._pausing += 1
            self._loop.call_later(PAUSE_AFTER_FAILURE, self._ask_after_pause)

    def _ask_after_pause(self) -> None:
        self._pausing -= 1
        self._ask()
