"""Metrics that are counted many at a time, and in any case before anybody reads them.

A request is counted in a dozen places. Behind a model that has just filled the processor's caches each of
them would be fetched anew for it, which takes a tenth of a millisecond; for many requests that is done
once.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import RestrictedRegistry

log = logging.getLogger(__name__)

MOST_UNCOUNTED: Final = 64
"""So many requests are counted in a tenth of a millisecond."""

Note = TypeVar("Note")


class Backlog(Generic[Note]):
    """Notes of what is not counted yet; used by any thread.

    Args:
        count_all: counts what notes tell, in their order.
        most: notes that are kept.
    """

    def __init__(
        self, count_all: Callable[[Sequence[Note]], None], most: int = MOST_UNCOUNTED
    ) -> None:
        self._count_all = count_all
        self._most = most
        self._notes: deque[Note] = deque()
        self._counting = threading.Lock()

    def add(self, note: Note) -> None:
        """Have what ``note`` tells counted, which this does itself once it is one of many."""
        self._notes.append(note)
        if len(self._notes) >= self._most:
            self.count()

    def count(self) -> None:
        """Count what is noted by now."""
        with self._counting:
            notes = [self._notes.popleft() for _ in range(len(self._notes))]
            try:
                if notes:
                    self._count_all(notes)
            except Exception as error:
                # They are not those of the request or the scrape that happens to count them.
                log.error("not counted", exc_info=error)


class UpToDateRegistry(CollectorRegistry):
    """A registry that has all counted before its metrics are read."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: list[Callable[[], None]] = []

    def await_counting(self, count: Callable[[], None]) -> None:
        """Have ``count`` called before."""
        self._counts.append(count)

    def collect(self) -> Iterable[Metric]:
        """All metrics."""
        self._count()
        return super().collect()

    def restricted_registry(self, names: Iterable[str]) -> RestrictedRegistry:
        """The metrics of these names, as they are now."""
        self._count()
        return super().restricted_registry(names)

    def _count(self) -> None:
        for count in self._counts:
            count()
