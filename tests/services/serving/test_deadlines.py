"""Deadlines ring on time, once, and only for those who still wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from services.serving.deadlines import TICK_SECONDS, Deadlines

LATE_SECONDS = 1.0
"""How late a busy machine may be."""


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that knows how many timers were made."""

    timers = 0

    def call_at(self, *args: object, **named: object) -> asyncio.TimerHandle:
        self.timers += 1
        return super().call_at(*args, **named)  # type: ignore[arg-type]


def run(test: Callable[[Deadlines], object], seconds: float) -> CountingLoop:
    """Do something with deadlines, and let the loop go on for so long."""
    loop = CountingLoop()

    async def go() -> None:
        test(Deadlines(loop))
        await asyncio.sleep(seconds)

    try:
        loop.run_until_complete(go())
    finally:
        loop.close()
    return loop


@pytest.mark.parametrize("after", [-1.0, 0.0, 0.03, 0.0501])
def test_one_rings_at_its_deadline_never_before(after: float) -> None:
    rung: list[float] = []
    began = time.monotonic()
    deadline = began + after
    run(
        lambda all_: all_.add(deadline, lambda: rung.append(time.monotonic())),
        max(after, 0) + 2 * LATE_SECONDS,
    )

    assert len(rung) == 1
    assert deadline <= rung[0] < max(deadline, began) + TICK_SECONDS + LATE_SECONDS


def test_who_is_answered_is_not_called() -> None:
    rung: list[str] = []
    first, second = (lambda: rung.append("first")), (lambda: rung.append("second"))

    def test(deadlines: Deadlines) -> None:
        deadline = time.monotonic() + 0.02
        tick = deadlines.add(deadline, first)
        assert deadlines.add(deadline, second) == tick
        deadlines.discard(tick, first)

    run(test, 0.1)

    assert rung == ["second"]


def test_one_that_has_rung_may_be_let_go_of() -> None:
    rung: list[str] = []

    def test(deadlines: Deadlines) -> None:
        def alarm() -> None:
            deadlines.discard(tick, alarm)
            rung.append("rung")

        tick = deadlines.add(time.monotonic(), alarm)

    run(test, 0.1)

    assert rung == ["rung"]


def test_one_that_fails_does_not_keep_the_others_from_ringing() -> None:
    rung: list[str] = []

    def fail() -> None:
        raise RuntimeError

    def test(deadlines: Deadlines) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        deadline = time.monotonic()
        for alarm in (fail, lambda: rung.append("a"), fail, lambda: rung.append("b")):
            deadlines.add(deadline, alarm)

    run(test, 0.1)

    assert sorted(rung) == ["a", "b"]


def test_those_of_one_tick_share_a_timer_and_nothing_is_left_of_the_answered() -> None:
    def test(deadlines: Deadlines) -> None:
        deadline = time.monotonic() + 3600
        alarms = [lambda number=number: number for number in range(1000)]
        ticks = [deadlines.add(deadline, alarm) for alarm in alarms]
        for tick, alarm in zip(ticks, alarms, strict=True):
            deadlines.discard(tick, alarm)
        assert vars(deadlines)["_alarms"] == {}

    loop = run(test, 0)

    assert loop.timers == 1


def test_later_deadlines_need_no_timer_while_the_first_is_waited_for() -> None:
    def test(deadlines: Deadlines) -> None:
        for tick in range(1000):
            deadlines.add(time.monotonic() + 3600 + tick * TICK_SECONDS, lambda: None)

    assert run(test, 0).timers == 1


def test_all_ring_in_the_order_of_their_deadlines_in_whichever_they_came() -> None:
    rung: list[float] = []
    after = [0.05, 0.01, 0.09, 0.03, 0.07, 0.0]

    def test(deadlines: Deadlines) -> None:
        now = time.monotonic()
        for each in after:
            deadlines.add(now + each, lambda each=each: rung.append(each))

    run(test, 0.2 + LATE_SECONDS)

    assert rung == sorted(after)


def test_the_rest_ring_where_the_first_tick_was_answered() -> None:
    rung: list[str] = []

    def test(deadlines: Deadlines) -> None:
        def first() -> None:
            rung.append("first")

        now = time.monotonic()
        tick = deadlines.add(now + 0.01, first)
        deadlines.add(now + 0.05, lambda: rung.append("second"))
        deadlines.discard(tick, first)

    run(test, 0.1 + LATE_SECONDS)

    assert rung == ["second"]
