"""A histogram in which many requests are counted at a time.

The client library's own looks through the bounds one by one, and checks and stores an exemplar by a
microsecond's work, four times a request. This one is its custom collector, so the library still says
how it reads on ``/metrics``.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar
from prometheus_client.utils import (
    floatToGoString,  # pyright: ignore[reportUnknownVariableType] - from a float to a str
)


class Series:
    """The observations with one set of labels; made by :class:`Histogram`, used by any thread."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._lock = threading.Lock()
        self._counts = [0] * len(bounds)
        self._sum = 0.0
        self._exemplars: list[tuple[dict[str, str], float, float] | None] = [None] * len(bounds)

    def observe_all(
        self,
        amounts: Sequence[float],
        whose: Callable[[int], tuple[dict[str, str], float]] | None = None,
    ) -> None:
        """Count observations, in their order.

        ``whose`` tells of the one at a position its exemplar, of at most 128 characters, and when it was.
        """
        buckets = [bisect_left(self._bounds, amount) for amount in amounts]
        with self._lock:
            for bucket, amount in zip(buckets, amounts, strict=True):
                self._counts[bucket] += 1
                self._sum += amount
            if whose is not None:
                last = {bucket: position for position, bucket in enumerate(buckets)}
                for bucket, position in last.items():
                    exemplar, at = whose(position)
                    self._exemplars[bucket] = (exemplar, amounts[position], at)

    def read(self) -> tuple[Sequence[int], float, Sequence[Exemplar | None]]:
        """How many fell into each bucket, the sum of all, and the last of each that is known."""
        with self._lock:
            counts, total, kept = list(self._counts), self._sum, list(self._exemplars)
        return counts, total, [each and Exemplar(*each) for each in kept]


class Histogram(Collector):
    """Observations in buckets, for each set of labels.

    Args:
        name: with the unit, without ``_bucket`` and the like.
        text: what is observed.
        labels: names of the labels; with none the one series is there from the start.
        buckets: upper bounds, ascending; infinity is added.
        registry: that publishes it.
    """

    def __init__(
        self,
        name: str,
        text: str,
        labels: Sequence[str] = (),
        *,
        buckets: Sequence[float],
        registry: CollectorRegistry,
    ) -> None:
        self._name = name
        self._text = text
        self._labels = labels
        self._bounds = (*buckets, math.inf)
        self._lock = threading.Lock()
        self._series: dict[tuple[str, ...], Series] = {}
        if not labels:
            self.labels()
        registry.register(self)

    def labels(self, *values: str) -> Series:
        """The series with these values of the labels.

        Raises:
            ValueError: there are more or fewer labels.
        """
        if len(values) != len(self._labels):
            raise ValueError(f"{self._name} has the labels {', '.join(self._labels)}")
        with self._lock:
            series = self._series.get(values)
            if series is None:
                series = self._series[values] = Series(self._bounds)
            return series

    def observe_all(self, amounts: Sequence[float]) -> None:
        """Count observations of the one series there is without labels."""
        self.labels().observe_all(amounts)

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """What the registry must know of it: its name."""
        yield HistogramMetricFamily(self._name, self._text, labels=self._labels)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """What has been observed, for the registry."""
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        with self._lock:
            series = list(self._series.items())
        for values, each in series:
            counts, total, exemplars = each.read()
            buckets: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
            below = 0
            for bound, count, exemplar in zip(self._bounds, counts, exemplars, strict=True):
                below += count
                bucket = (floatToGoString(bound), below)
                buckets.append((*bucket, exemplar) if exemplar is not None else bucket)
            family.add_metric(values, buckets, total)
        yield family
