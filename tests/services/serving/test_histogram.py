"""Our histogram reads on ``/metrics`` as that of the client library would."""

from __future__ import annotations

import math
import re
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, disable_created_metrics, exposition
from prometheus_client import Histogram as TheirHistogram
from prometheus_client.openmetrics import exposition as openmetrics

from services.serving.histogram import Histogram, Series

BUCKETS = (0.001, 0.01, 0.5, 1.0, 10.0)
ON_A_BOUND = st.sampled_from(BUCKETS)
AMOUNTS = st.floats(0, 100) | ON_A_BOUND
EXEMPLARS = st.fixed_dictionaries({"request_id": st.text("abc123", min_size=1)})
OBSERVED_TOGETHER = st.lists(st.tuples(AMOUNTS, EXEMPLARS)) | st.lists(
    st.tuples(AMOUNTS, st.none())
)
OBSERVATIONS = st.lists(st.tuples(st.sampled_from(("/a", "/b")), OBSERVED_TOGETHER))
Whose = dict[str, str] | None


def ours(registry: CollectorRegistry, *labels: str) -> Histogram:
    return Histogram("took_seconds", "How long", labels, buckets=BUCKETS, registry=registry)


def theirs(registry: CollectorRegistry, *labels: str) -> TheirHistogram:
    return TheirHistogram("took_seconds", "How long", labels, buckets=BUCKETS, registry=registry)


@pytest.fixture(autouse=True, scope="module")
def no_moments_of_creation() -> None:
    """As all our metrics are: none tells when it was made."""
    disable_created_metrics()


def without_times(text: bytes) -> str:
    """An OpenMetrics text without the moments of its exemplars."""
    return re.sub(r"(# \{.*\} \S+) \S+", r"\1", text.decode())


def observe(series: Series, together: list[tuple[float, Whose]]) -> None:
    """Observe amounts at once, each at the second of its position, counted from one."""
    whose = [exemplar for _, exemplar in together if exemplar is not None]
    series.observe_all(
        [amount for amount, _ in together],
        (lambda position: (whose[position], position + 1.0)) if whose else None,
    )


@given(OBSERVATIONS)
def test_it_reads_as_that_of_the_library(
    observations: list[tuple[str, list[tuple[float, Whose]]]],
) -> None:
    registries = CollectorRegistry(), CollectorRegistry()
    mine, library_s = ours(registries[0], "route"), theirs(registries[1], "route")
    for route, together in observations:
        observe(mine.labels(route), together)
        series = library_s.labels(route)
        for amount, exemplar in together:
            series.observe(amount, exemplar)

    text, expected = (exposition.generate_latest(each) for each in registries)
    assert text == expected
    text, expected = (without_times(openmetrics.generate_latest(each)) for each in registries)
    assert text == expected


def test_without_labels_it_is_there_before_anything_is_observed() -> None:
    registries = CollectorRegistry(), CollectorRegistry()
    ours(registries[0]).observe_all([0.01])
    theirs(registries[1]).observe(0.01)
    empty = CollectorRegistry(), CollectorRegistry()
    ours(empty[0])
    theirs(empty[1])

    for mine, expected in (registries, empty):
        assert exposition.generate_latest(mine) == exposition.generate_latest(expected)


def test_an_exemplar_stays_until_another_of_its_bucket() -> None:
    registry = CollectorRegistry()
    series = ours(registry, "route").labels("/a")
    observe(series, [(0.4, {"request_id": "before"}), (0.4, {"request_id": "first"})])
    observe(series, [(0.3, None)])
    observe(series, [(5, {"request_id": "slow"})])

    _, _, exemplars = series.read()
    kept = [each and each.labels["request_id"] for each in exemplars]
    assert kept == [None, None, "first", None, "slow", None]
    assert [each and each.timestamp for each in exemplars if each] == [2, 1]


def test_nothing_is_lost_between_threads() -> None:
    series = ours(CollectorRegistry(), "route").labels("/a")

    def observe_many() -> None:
        for _ in range(10_000):
            series.observe_all([1, 1])

    threads = [threading.Thread(target=observe_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    counts, total, _ = series.read()
    assert sum(counts) == 80_000
    assert math.isclose(total, 80_000)


def test_a_series_is_the_same_each_time_and_needs_all_its_labels() -> None:
    histogram = ours(CollectorRegistry(), "route")

    assert histogram.labels("/a") is histogram.labels("/a")
    assert histogram.labels("/a") is not histogram.labels("/b")
    with pytest.raises(ValueError, match="took_seconds has the labels route"):
        histogram.labels()


def test_two_of_one_name_are_refused() -> None:
    registry = CollectorRegistry()
    ours(registry)

    with pytest.raises(ValueError, match="Duplicated timeseries"):
        ours(registry, "route")
