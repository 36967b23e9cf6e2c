"""Handing what threads have finished to the event loop, many at a time."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

log = logging.getLogger(__name__)

Task = Callable[[], None]


class Mailbox:
    """Runs on the loop what is put in; one awakening serves all that has come by then.

    It is made in the thread of the loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = threading.get_ident()
        self._tasks: deque[Task] = deque()
        self._is_awaited = False

    def put(self, task: Task) -> None:
        """Have ``task`` run on the loop soon; called by any thread."""
        self._tasks.append(task)
        if not self._is_awaited:
            self._is_awaited = True
            self._awaken()

    def hold(self) -> None:
        """Wake the loop for nothing that is put in, until who is on it has it delivered."""
        self._is_awaited = True

    def _awaken(self) -> None:
        is_there = threading.get_ident() == self._thread
        # The loop may have ended before the thread.
        with suppress(RuntimeError):
            (self._loop.call_soon if is_there else self._loop.call_soon_threadsafe)(self.deliver)

    def deliver(self) -> None:
        """Run what was put in. The loop does so soon; who is on it may have it done earlier."""
        # In this order: what is put in from here on either is seen below or wakes the loop again.
        self._is_awaited = False
        while self._tasks:
            try:
                self._tasks.popleft()()
            except Exception as error:
                log.error("unexpected error", exc_info=error)
