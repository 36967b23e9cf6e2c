"""A metric's series for certain labels, each made once.

The client library checks the labels, and locks the metric, each time that it is asked.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

from prometheus_client import Counter, Histogram

MOST_SERIES = 1_024

MetricT = TypeVar("MetricT", Counter, Histogram)


def labelled(metric: MetricT, *labels: str) -> MetricT:
    """The series of ``metric`` with these labels, which come from few values."""
    return _series(metric, *labels)  # pyright: ignore[reportReturnType] - of the same class


@lru_cache(MOST_SERIES)
def _series(metric: Counter | Histogram, *labels: str) -> Counter | Histogram:
    return metric.labels(*labels)
