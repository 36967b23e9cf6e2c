"""A test that takes too long is ended inside an event loop, too.

pytest-timeout raises `Failed`, which asyncio takes for the failure of a callback or a task: it is
noted and forgotten, whoever waits for the outcome waits for ever, and there is no second alarm. On
an overloaded machine one recording of a stack waited so for half an hour. An interrupt from the
keyboard is all that asyncio lets through; what is raised here is one until it has left the test.
"""

from __future__ import annotations

import signal
from collections.abc import Generator
from types import FrameType
from typing import Any

import pytest

CAN_BE_LEFT = pytest.StashKey[bool]()
"""Whether the test is in its setup or its call; pytest itself ends what is torn down."""


class TimedOut(KeyboardInterrupt):
    """Passes through event loops; with what pytest-timeout raised."""

    def __init__(self, failed: BaseException) -> None:
        super().__init__(str(failed))
        self.failed = failed


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item) -> Generator[None, Any, Any]:
    result = yield
    at_the_limit = signal.getsignal(signal.SIGALRM)
    if callable(at_the_limit):

        def interrupt(number: int, frame: FrameType | None) -> None:
            try:
                at_the_limit(number, frame)
            except pytest.fail.Exception as failed:
                if item.stash.get(CAN_BE_LEFT, False):
                    raise TimedOut(failed) from None
                raise

        signal.signal(signal.SIGALRM, interrupt)
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    return (yield from _failed_where_timed_out(item))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    return (yield from _failed_where_timed_out(item))


def _failed_where_timed_out(item: pytest.Item) -> Generator[None]:
    item.stash[CAN_BE_LEFT] = True
    try:
        yield
    except TimedOut as timed_out:
        raise timed_out.failed from None
    finally:
        item.stash[CAN_BE_LEFT] = False
