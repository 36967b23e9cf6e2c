"""An asyncio event loop whose timers are exact to well below a millisecond on Linux.

epoll counts its timeout in milliseconds, and asyncio rounds up; every scheduled request would be
sent half a millisecond late on average, which is as long as a fast service takes to answer it.
An epoll descriptor can itself be waited for by select(), which counts in microseconds.
"""

from __future__ import annotations

import asyncio
import select
import selectors
import sys

SELECT_LIMIT = 1024
"""select() takes descriptors below this number only (FD_SETSIZE)."""


def new_precise_loop() -> asyncio.AbstractEventLoop:
    """A new event loop, for :class:`asyncio.Runner`."""
    if sys.platform != "linux":
        return asyncio.new_event_loop()
    return asyncio.SelectorEventLoop(_PreciseEpollSelector())


class _PreciseEpollSelector(selectors.EpollSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and 0 < timeout < 0.1 and self.fileno() < SELECT_LIMIT:
            select.select([self.fileno()], [], [], timeout)
            timeout = 0
        return super().select(timeout)
