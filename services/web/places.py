"""How many threads may do the same at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class NoPlace(Exception):
    """All are taken."""


class Places:
    """A number of places for what may hang.

    Nobody waits for one: those who wait would take the threads that serve the page.
    """

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)

    @contextmanager
    def one(self) -> Iterator[None]:
        """One of them, to the end of the block.

        Raises:
            NoPlace: there is none.
        """
        if not self._free.acquire(blocking=False):
            raise NoPlace
        try:
            yield
        finally:
            self._free.release()
