"""Figures are those that their definitions give by hand."""

from __future__ import annotations

import numpy as np
import pytest

from services.faq.baselines import largest_class, plain_cosine
from services.faq.low_signal import low_signal_threshold
from services.faq.metrics import (
    accuracy,
    calibration,
    calibration_error,
    places_of,
    wilson_interval,
)
from services.faq.quality_gate import QualityGateFailed, check_quality
from services.faq.ranking import Ranking
from services.faq.text import CleanText


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


def test_log_loss_and_flags() -> None:
    rankings = [
        Ranking(np.asarray([0, 1]), np.asarray([0.8, 0.1]), low_signal=False),
        Ranking(np.asarray([1, 0]), np.asarray([0.4, 0.2]), low_signal=True),
    ]
    figures = calibration(rankings, np.asarray([0, 1]))
    assert figures.log_loss == pytest.approx(-np.log([0.8, 0.9, 0.4, 0.8]).mean())
    assert figures.low_signal_share == 0.5


def test_a_right_original_that_is_no_candidate_is_one_more_pair() -> None:
    ranking = Ranking(np.asarray([0, 1]), np.asarray([0.8, 0.1]), low_signal=False)
    figures = calibration([ranking], np.asarray([5]))
    assert figures.log_loss == pytest.approx(-np.log([0.2, 0.9, 1e-12]).mean())


def test_calibration_error_is_the_weighted_gap_in_bins() -> None:
    scores = np.asarray([0.92, 0.98, 0.31])
    is_right = np.asarray([True, False, False])
    assert calibration_error(scores, is_right) == pytest.approx((abs(1.9 - 1) + 0.31) / 3)


def test_the_largest_class_is_always_the_same_order() -> None:
    figures = largest_class(np.asarray([1, 1, 2]), np.asarray([1, 2, 0]), 3)
    assert figures.accuracy_at_1 == pytest.approx(1 / 3)
    assert figures.accuracy_at_2 == pytest.approx(2 / 3)


def test_plain_cosine_finds_the_same_words() -> None:
    originals = [CleanText("sort an array", "", ""), CleanText("read a file", "", "")]
    questions = [CleanText("", "file read", ""), CleanText("", "array", "")]
    assert plain_cosine(originals, questions, np.asarray([1, 0])).accuracy_at_1 == 1


def test_the_gate_names_the_minimum_and_the_gap() -> None:
    poor = accuracy(np.asarray([0, 1, 1, 1]), np.zeros(4, int))
    with pytest.raises(QualityGateFailed, match=r"25\.0%, which is 5\.0% below the minimum of 30"):
        check_quality(poor, poor, 0.3)


def test_the_gate_refuses_what_is_plainly_worse_than_cosine() -> None:
    model = accuracy(np.repeat([0, 1], 50), np.zeros(100, int))
    cosine = accuracy(np.repeat([0, 1], [80, 20]), np.zeros(100, int))
    with pytest.raises(QualityGateFailed, match=r"50\.0%, which is 30\.0% below plain TF-IDF"):
        check_quality(model, cosine, 0.3)


def test_the_gate_lets_pass_what_is_within_the_interval_of_cosine() -> None:
    model = accuracy(np.repeat([0, 1], 50), np.zeros(100, int))
    cosine = accuracy(np.repeat([0, 1], [55, 45]), np.zeros(100, int))
    check_quality(model, cosine, 0.5)


def test_the_low_signal_threshold_is_where_three_places_hold_the_right_one_half_the_time() -> None:
    scores = np.linspace(0, 1, 1001)
    places = np.where(scores < 0.4, 9, 2)
    assert low_signal_threshold(scores, places) == pytest.approx(0.4, abs=0.002)
    assert low_signal_threshold(scores, np.full(1001, 9)) == 1
    assert low_signal_threshold(scores, np.zeros(1001)) == 0
