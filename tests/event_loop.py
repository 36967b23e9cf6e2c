"""Doing something where others wait meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

Given = TypeVar("Given")
Result = TypeVar("Result")


def on_an_event_loop(function: Callable[[Given], Result], given: Given) -> Result:
    """What ``function`` returns, or raises, when an event loop calls it."""

    async def call() -> Result:
        return function(given)

    return asyncio.run(call())
