"""The deadlines of many requests on one event loop, nearly all of which are answered before theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

TICK_SECONDS = 0.01
"""How much later than at its deadline a request may be told so."""

Alarm = Callable[[], None]


class Deadlines:
    """Calls whoever is still there at a deadline, with one timer for all deadlines of the same tick.

    A timer for each request would cost as much as reading its head: the loop keeps them in a heap,
    those that were cancelled among them. Used in the loop's thread only.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._alarms: dict[int, set[Alarm]] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def add(self, deadline: float, alarm: Alarm) -> int:
        """Have ``alarm`` called at ``deadline`` (the loop's time), or at most a tick later.

        Returns the tick, for :meth:`discard`.
        """
        tick = int(deadline / TICK_SECONDS) + 1
        alarms = self._alarms.get(tick)
        if alarms is None:
            alarms = self._alarms[tick] = set()
            self._timers[tick] = self._loop.call_at(tick * TICK_SECONDS, self._ring, tick)
        alarms.add(alarm)
        return tick

    def discard(self, tick: int, alarm: Alarm) -> None:
        """Let go of an alarm, which is not called any more."""
        alarms = self._alarms.get(tick)
        if alarms is None:
            return
        alarms.discard(alarm)
        if not alarms:
            del self._alarms[tick]
            self._timers.pop(tick).cancel()

    def _ring(self, tick: int) -> None:
        del self._timers[tick]
        for alarm in self._alarms.pop(tick):
            self._loop.call_soon(alarm)
