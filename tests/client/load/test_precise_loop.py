"""Timers of the generator."""

from __future__ import annotations

import asyncio
import select
import selectors
import sys

import pytest

from client.load.precise_loop import new_precise_loop

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="other systems' loops are used as they are"
)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[float]]:
    """The timeouts, in seconds, that select() and epoll are given; both really wait."""
    asked: dict[str, list[float]] = {"select": [], "epoll": []}
    by_select, by_epoll = select.select, selectors.EpollSelector.select

    def noted_select(read: object, write: object, failed: object, timeout: float) -> object:
        asked["select"].append(timeout)
        return by_select(read, write, failed, timeout)

    def noted_epoll(selector: selectors.EpollSelector, timeout: float | None = None) -> object:
        asked["epoll"].append(float("inf") if timeout is None else timeout)
        return by_epoll(selector, timeout)

    monkeypatch.setattr("select.select", noted_select)
    monkeypatch.setattr("selectors.EpollSelector.select", noted_epoll)
    return asked


def test_a_short_timer_is_not_rounded_up_to_the_milliseconds_that_epoll_counts_in(
    waits: dict[str, list[float]],
) -> None:
    with asyncio.Runner(loop_factory=new_precise_loop) as runner:
        runner.run(asyncio.sleep(0.0003))

    assert waits["select"]
    assert all(0 < timeout <= 0.0003 for timeout in waits["select"])
    assert all(timeout <= 0 for timeout in waits["epoll"])


def test_a_long_timer_is_left_to_epoll(waits: dict[str, list[float]]) -> None:
    with asyncio.Runner(loop_factory=new_precise_loop) as runner:
        runner.run(asyncio.sleep(0.15))

    assert max(waits["epoll"]) > 0.1
