"""What may be done on the event loop, which everybody else waits for meanwhile."""

from __future__ import annotations

import asyncio


class TakesLong(Exception):
    """What is asked may take longer than others should wait for; it has to be done in a thread."""


def must_be_brief() -> bool:
    """Whether this thread runs an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def leave_several_to_a_thread(count: int) -> None:
    """Pass for one item, and for several where nobody waits meanwhile.

    Raises:
        TakesLong: several would be prepared on an event loop.
    """
    if count > 1 and must_be_brief():
        raise TakesLong
