"""How long to wait, and whether to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.errors import (
    AtCapacity,
    ConnectionCut,
    DeadlineExceeded,
    Problem,
    Unauthorized,
    Unreachable,
)
from client.retrying import NO_RETRIES, Retries, read_retry_after

LONGEST = Retries(most=5, first_wait=0.2, longest_wait=1.0, uniform=lambda _least, most: most)


def full(retry_after: float | None) -> AtCapacity:
    return AtCapacity(Problem(503, "Full.", retry_after=retry_after))


def test_waits_double_up_to_their_bound():
    waits = [LONGEST.wait(tries, full(None)) for tries in range(1, 6)]
    assert waits == pytest.approx([0.2, 0.4, 0.8, 1.0, 1.0])


@given(st.integers(1, 5))
def test_waits_are_spread_over_the_whole_interval(tries):
    longest = LONGEST.wait(tries, full(None))
    wait = Retries(most=5, first_wait=0.2, longest_wait=1.0).wait(tries, full(None))
    assert wait is not None
    assert longest is not None
    assert 0 <= wait <= longest


@given(st.floats(0, 1000))
def test_no_wait_is_shorter_than_retry_after(seconds):
    wait = Retries().wait(1, full(seconds))
    assert wait is not None
    assert seconds <= wait <= seconds * 1.25


def test_what_reached_nobody_is_worth_another_try():
    assert LONGEST.wait(1, Unreachable("refused")) is not None


def test_what_was_cut_is_worth_another_try_only_where_it_can_do_no_harm():
    assert LONGEST.wait(1, ConnectionCut("cut")) is None
    assert LONGEST.wait(1, ConnectionCut("cut"), harmless=True) is not None


@pytest.mark.parametrize("error", [DeadlineExceeded("late"), Unauthorized(Problem(401, "No."))])
def test_other_failures_are_not(error):
    assert LONGEST.wait(1, error) is None


def test_tries_end():
    assert LONGEST.wait(6, full(None)) is None
    assert NO_RETRIES.wait(1, full(1)) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("9" * 5000, 999_999_999),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    now = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
    assert read_retry_after(header, now) == seconds


@given(st.text(max_size=60))
def test_no_retry_after_breaks_the_client(header):
    seconds = read_retry_after(header)
    assert seconds is None or seconds >= 0
