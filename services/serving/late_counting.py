"""Metrics that are counted many at a time, and in any case before anybody reads them.

A request is counted in a dozen places. Behind a model that has just filled the processor's caches each of
them would be fetched anew for it, which takes a tenth of a millisecond; for many requests that is done
once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, Protocol, TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import RestrictedRegistry

MOST_UNCOUNTED: Final = 64
"""So many are counted in well under a millisecond."""

Note = TypeVar("Note")


class Uncounted(Protocol):
    """What is not counted yet."""

    def count(self) -> None:
        """Count it."""
        ...


class Backlog(Generic[Note]):
    """Notes of what is not counted yet; used by any thread.

    Args:
        count_all: counts what notes tell, in their order.
    """

    def __init__(self, count_all: Callable[[Sequence[Note]], None]) -> None:
        self._count_all = count_all
        self._notes: deque[Note] = deque()
        self._counting = threading.Lock()

    def add(self, note: Note) -> None:
        """Have what ``note`` tells counted, which this does itself once it is one of many."""
        self._notes.append(note)
        if len(self._notes) >= MOST_UNCOUNTED:
            self.count()

    def count(self) -> None:
        """Count what is noted by now."""
        with self._counting:
            notes = [self._notes.popleft() for _ in range(len(self._notes))]
            if notes:
                self._count_all(notes)


class UpToDateRegistry(CollectorRegistry):
    """A registry that has all counted before its metrics are read."""

    def __init__(self) -> None:
        super().__init__()
        self._uncounted: list[Uncounted] = []

    def await_counting(self, uncounted: Uncounted) -> None:
        """Have ``uncounted`` counted, too."""
        self._uncounted.append(uncounted)

    def collect(self) -> Iterable[Metric]:
        """All metrics."""
        self._count()
        return super().collect()

    def restricted_registry(self, names: Iterable[str]) -> RestrictedRegistry:
        """The metrics of these names, as they are now."""
        self._count()
        return super().restricted_registry(names)

    def _count(self) -> None:
        for each in self._uncounted:
            each.count()
