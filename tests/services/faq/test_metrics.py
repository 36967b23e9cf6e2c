"""Figures are those that their definitions give by hand."""

from __future__ import annotations

import numpy as np
import pytest

from services.faq.low_signal import low_signal_threshold
from services.faq.metrics import accuracy, places_of, wilson_interval


def test_accuracy_counts_places() -> None:
    figures = accuracy(np.asarray([0, 0, 1, 3]), np.asarray([5, 5, 5, 7]))
    assert figures.questions == 4
    assert (figures.accuracy_at_1, figures.accuracy_at_2, figures.accuracy_at_3) == (
        0.5,
        0.75,
        0.75,
    )
    assert figures.mean_reciprocal_rank == pytest.approx((1 + 1 + 1 / 2 + 1 / 4) / 4)
    assert figures.mean_rank == pytest.approx(2.0)
    assert figures.macro_accuracy_at_1 == pytest.approx((2 / 3 + 0) / 2)


def test_the_place_is_where_the_right_original_stands() -> None:
    orders = [np.asarray([2, 0, 1]), np.asarray([0, 1, 2])]
    assert places_of(orders, np.asarray([1, 0]), 3).tolist() == [2, 0]


def test_a_right_original_that_is_no_candidate_is_in_the_middle_of_the_places_left() -> None:
    ranked = [np.asarray([7, 3])]
    assert places_of(ranked, np.asarray([4]), 9).tolist() == [(2 + 3 + 4 + 5 + 6 + 7 + 8) / 7]


def test_the_wilson_interval_is_the_published_one() -> None:
    """Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263."""
    low, high = wilson_interval(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_the_low_signal_threshold_is_where_three_places_hold_the_right_one_half_the_time() -> None:
    scores = np.linspace(0, 1, 1001)
    weights, never = np.ones(1001), np.zeros(1001, np.bool_)
    assert low_signal_threshold(scores, scores >= 0.4, weights) == pytest.approx(0.4, abs=0.002)
    assert low_signal_threshold(scores, never, weights) == 1
    assert low_signal_threshold(scores, ~never, weights) == 0


def test_what_counts_more_moves_the_low_signal_threshold() -> None:
    """Under 0.6 one of two questions has no match; it counts as much as the other, or half."""
    scores = np.repeat(np.linspace(0, 1, 501), 2)
    is_found = (np.arange(1002) % 2 == 0) | (scores >= 0.6)
    heavy = np.where(np.arange(1002) % 2, 1.5, 1)
    light = np.where(np.arange(1002) % 2, 0.5, 1)
    assert low_signal_threshold(scores, is_found, heavy) == pytest.approx(0.6, abs=0.01)
    assert low_signal_threshold(scores, is_found, light) == 0
