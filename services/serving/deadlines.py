"""The deadlines of many requests on one event loop, nearly all of which are answered before theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

TICK_SECONDS = 0.01
"""How much later than at its deadline a request may be told so."""

Alarm = Callable[[], None]


class Deadlines:
    """Calls whoever is still there at a deadline, with one timer, for the first tick that anybody is at.

    A timer for each request, or each tick, would cost as much as reading a head: the loop keeps them in
    a heap, those that were cancelled among them. So the timer stays where everybody of its tick was
    answered, and rings for nobody. Used in the loop's thread only.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._alarms: dict[int, set[Alarm]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = 0

    def add(self, deadline: float, alarm: Alarm) -> int:
        """Have ``alarm`` called at ``deadline`` (the loop's time), or at most a tick later.

        Returns the tick, for :meth:`discard`.
        """
        tick = int(deadline / TICK_SECONDS) + 1
        alarms = self._alarms.get(tick)
        if alarms is None:
            alarms = self._alarms[tick] = set()
            if self._timer is None or tick < self._rings_at:
                self._set(tick)
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

    def _set(self, tick: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = tick
        self._timer = self._loop.call_at(tick * TICK_SECONDS, self._ring)

    def _ring(self) -> None:
        self._timer = None
        for alarm in self._alarms.pop(self._rings_at, ()):
            self._loop.call_soon(alarm)
        if self._alarms:
            self._set(min(self._alarms))
