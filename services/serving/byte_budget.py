"""A bound on the bytes of requests in the house, beside the batcher's bound on their number.

What a request may bring is counted before its body is read, and given back with its answer: a
few large bodies fill a pod's memory where as many small ones would not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from services.serving.admission import at_capacity


class ByteBudget:
    """How many bytes of bodies may be held at once.

    Args:
        limit: most bytes; a request that is alone is let in whatever it brings, because it would
            otherwise be refused for ever.
        wait_seconds: tells a refused client when to come back.
    """

    def __init__(self, limit: int, wait_seconds: Callable[[], float] = lambda: 0.0) -> None:
        self._limit = limit
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._held = 0

    @property
    def held(self) -> int:
        """Bytes counted at present."""
        return self._held

    def hold(self, most: int) -> HeldBytes:
        """Count ``most`` bytes until they are given back, or to the end of a ``with`` block.

        Raises:
            Problem: 503 with Retry-After, if they would be too many.
        """
        with self._lock:
            if self._held and self._held + most > self._limit:
                refusal = at_capacity(self._wait_seconds())
                # The body is not read, so nothing can follow it on its connection.
                refusal.headers["Connection"] = "close"
                raise refusal
            self._held += most
        return HeldBytes(self, most)

    def shrink(self, held: HeldBytes, count: int) -> None:
        """Count no more than ``count`` of what is held.

        A thread may still prepare a request that is over: what was given back is not taken again.
        """
        with self._lock:
            kept = min(count, held.count)
            self._held -= held.count - kept
            held.count = kept


class HeldBytes:
    """The bytes of one request."""

    def __init__(self, budget: ByteBudget, count: int) -> None:
        self._budget = budget
        self.count = count

    def __enter__(self) -> HeldBytes:
        return self

    def __exit__(self, *_: object) -> None:
        self.shrink_to(0)

    def shrink_to(self, count: int) -> None:
        """Say how many there really are; never more than were allowed."""
        self._budget.shrink(self, count)
