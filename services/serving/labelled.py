"""A metric's series for certain labels, each made once.

The client library checks the labels, and locks the metric, each time that it is asked.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol, TypeVar

MOST_SERIES = 1_024

Series = TypeVar("Series", covariant=True)


class Labelled(Protocol[Series]):
    """A metric that has a series for each set of labels."""

    def labels(self, *labelvalues: str) -> Series:
        """The series with these values of the labels."""
        ...


def labelled(metric: Labelled[Series], *labels: str) -> Series:
    """The series of ``metric`` with these labels, which come from few values."""
    return _series(metric, *labels)


@lru_cache(MOST_SERIES)
def _series(metric: Labelled[Series], *labels: str) -> Series:
    return metric.labels(*labels)
