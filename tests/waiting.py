"""Waiting for what something else does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.05


def wait_for(
    condition: Callable[[], T], seconds: float, problem: Callable[[], str] | str = ""
) -> T:
    """What ``condition`` returns as soon as it is true.

    Raises:
        AssertionError: it never was; with ``problem``.
    """
    until = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > until:
            told = problem() if callable(problem) else problem
            raise AssertionError(f"not within {seconds:g} s: {told}")
        time.sleep(POLL_SECONDS)
