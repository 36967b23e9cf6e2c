"""Figures from recordings whose figures are known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.load.recording import Outcome, Recording
from client.load.statistics import latency_of, percentile, summarise

BEGAN = 100.0


def record(*rows: tuple[float, float, int]) -> Recording:
    """Rows of (scheduled, latency, outcome), all sent when they were due."""
    recording = Recording()
    for scheduled, latency, outcome in rows:
        number = recording.begin(BEGAN + scheduled, BEGAN + scheduled)
        recording.sent[number] = BEGAN + scheduled
        recording.end(number, outcome, BEGAN + scheduled + latency)
    return recording


def figures(recording: Recording, seconds: float = 10.0, deadline: float = 0.1):
    return summarise(
        recording, name="50 %", share=0.5, began=BEGAN, seconds=seconds, deadline=deadline
    )


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 15), (5, 15), (30, 20), (40, 20), (50, 35), (95, 50), (100, 50)]
)
def test_percentiles_are_by_nearest_rank(percent, expected):
    assert percentile([15, 20, 35, 40, 50], percent) == expected


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200).map(sorted), st.floats(0.1, 100))
def test_a_percentile_is_the_smallest_value_that_covers_its_share(values, percent):
    value = percentile(values, percent)
    covered = sum(each <= value for each in values)
    below = sum(each < value for each in values)
    assert covered >= len(values) * percent / 100 - 1e-9
    assert below < len(values) * percent / 100


def test_a_percentile_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="values"):
        percentile([], 50)
    assert latency_of([]) is None


def test_latencies_are_in_milliseconds():
    latency = latency_of([each / 1000 for each in range(1, 101)])
    assert latency is not None
    assert (latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms) == pytest.approx(
        (50, 95, 99, 100)
    )


def test_good_answers_are_those_of_200_within_the_deadline():
    step = figures(
        record((0, 0.05, 200), (1, 0.0999, 200), (2, 0.101, 200), (3, 0.01, 503), (4, 0.01, 204))
    )
    assert step.good == 2
    assert step.goodput == pytest.approx(0.2)
    assert step.good_share == pytest.approx(0.4)
    assert step.throughput == pytest.approx(0.3)
    assert step.answers == {204: 1, 503: 1}


def test_refusals_do_not_flatter_the_latency():
    rows = [(0.0, 1.0, 200)] + [(0.0, 0.001, 503)] * 99
    latency = figures(record(*rows)).latency
    assert latency is not None
    assert latency.p50_ms == pytest.approx(1000)


def test_an_answer_after_the_end_is_no_throughput_of_the_step():
    step = figures(record((9.95, 0.04, 200), (9.99, 0.05, 200)))
    assert step.throughput == pytest.approx(0.1)
    assert step.good == 2


def test_failures_are_told_apart():
    step = figures(
        record(
            (0, 1, Outcome.CONNECTION_FAILED), (0, 1, Outcome.TIMED_OUT), (0, 1, Outcome.TIMED_OUT)
        )
    )
    assert step.failures == {"connection failed": 1, "no answer in time": 2}
    assert step.latency is None
    assert step.offered == 3


def test_what_was_never_sent_was_offered_all_the_same():
    recording = record((0, 0.01, 200))
    number = recording.begin(BEGAN + 1, BEGAN + 1)
    recording.end(number, Outcome.NEVER_SENT, BEGAN + 6)
    step = figures(recording)
    assert (step.offered, step.sent) == (2, 1)
    assert step.offered_rate == pytest.approx(0.2)
    assert step.sent_rate == pytest.approx(0.1)


def test_a_wait_for_a_connection_is_counted_and_part_of_the_latency():
    recording = Recording()
    for wait in (0.0, 0.0005, 0.002, 0.5):
        number = recording.begin(BEGAN, BEGAN)
        recording.sent[number] = BEGAN + wait
        recording.end(number, 200, BEGAN + wait + 0.01)
    step = figures(recording)
    assert step.waited == 2
    assert step.latency is not None
    assert step.latency.max_ms == pytest.approx(510)
    assert step.good == 3


@pytest.mark.parametrize(("lag", "kept_up"), [(0.001, True), (0.5, False)])
def test_a_generator_that_is_late_says_so(lag, kept_up):
    recording = Recording()
    for place in range(50):
        number = recording.begin(BEGAN + place, BEGAN + place + lag)
        recording.end(number, 200, BEGAN + place + 1)
    step = figures(recording, seconds=50)
    assert step.generator_kept_up is kept_up
    assert step.lag_p99_ms == pytest.approx(lag * 1000)
