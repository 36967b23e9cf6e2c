"""When the search for saturation ends, on curves that are known."""

from __future__ import annotations

import asyncio

import pytest

from client.load.recording import Outcome, Recording
from client.load.saturation import Level, concurrency_levels, find_saturation, measure_level


def search(curve: dict[int, tuple[float, float]]):
    """Find the saturation of a curve: callers to (throughput, share refused)."""

    async def measure(callers: int) -> Level | None:
        if callers not in curve:
            return None
        throughput, refused = curve[callers]
        return Level(callers, throughput, None, refused)

    return asyncio.run(find_saturation([1, 2, 4, 8, 16, 32, 64], measure))


def test_levels_double_and_end_at_the_highest():
    assert concurrency_levels(1) == [1]
    assert concurrency_levels(2) == [1, 2]
    assert concurrency_levels(20) == [1, 2, 4, 8, 16, 20]


def test_the_search_ends_when_two_levels_bring_no_more():
    curve = {1: (10, 0), 2: (19, 0), 4: (36, 0), 8: (37, 0), 16: (36.5, 0), 32: (90, 0)}
    found = search({callers: (float(each), refused) for callers, (each, refused) in curve.items()})
    assert found.throughput == 37
    assert found.callers == 8
    assert [level.callers for level in found.levels] == [1, 2, 4, 8, 16]
    assert found.reason == "throughput stopped growing"


def test_the_search_ends_when_requests_are_refused():
    found = search({1: (10, 0), 2: (20, 0), 4: (30, 0.2), 8: (60, 0.5)})
    assert found.throughput == 30
    assert "20% of the requests of 4 callers" in found.reason


def test_one_bad_level_does_not_end_the_search():
    curve = {1: (10, 0), 2: (9, 0), 4: (40, 0), 8: (80, 0), 16: (80, 0), 32: (80, 0)}
    assert search({key: (float(each), 0) for key, (each, _) in curve.items()}).throughput == 80


def test_the_limit_of_requests_ends_the_search():
    found = search({1: (10, 0), 2: (20, 0)})
    assert found.throughput == 20
    assert "limit of requests" in found.reason


def test_the_comfortable_point_is_at_70_percent():
    assert search({1: (200, 0)}).comfortable_rate == pytest.approx(140)


def test_a_level_is_measured_after_it_has_settled():
    recording = Recording()
    for finished, outcome in [
        (100.5, 200), (101.5, 200), (102.0, 200), (103.0, Outcome.CONNECTION_FAILED),
        (104.0, 503), (106.0, 200),
    ]:  # fmt: skip
        recording.end(recording.begin(finished - 0.5, finished - 0.5), outcome, finished)
    level = measure_level(recording, callers=3, began=100, seconds=5, settle=1)
    assert level.throughput == pytest.approx(2 / 4)
    assert level.failed_share == pytest.approx(0.5)
    assert level.latency is not None
    assert level.latency.p50_ms == pytest.approx(500)
