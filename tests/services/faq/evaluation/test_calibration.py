"""Calibration error is the gap in bins, and chance's share of it is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from services.faq.evaluation.calibration import (
    calibration_error_of,
    chance_calibration_error,
    reliability,
)


def error_of(scores: np.ndarray, is_right: np.ndarray) -> float:
    return float(calibration_error_of(scores, is_right)(np.ones((1, len(scores))))[0])


def test_the_error_is_the_weighted_gap_by_hand() -> None:
    """0.92 and 0.98 are in one bin, with one right of two; 0.31, which is wrong, in another."""
    scores = np.asarray([0.92, 0.98, 0.31])
    is_right = np.asarray([True, False, False])
    assert error_of(scores, is_right) == pytest.approx((abs(1.9 - 1) + 0.31) / 3)


def test_the_bins_are_scikit_learn_s() -> None:
    random = np.random.default_rng(0)
    scores = random.random(500) * 0.98 + 0.01
    is_right = random.random(500) < scores**2
    share, mean = calibration_curve(is_right, scores, n_bins=10)
    bins = reliability(scores, is_right, 0)
    assert [each.mean_score for each in bins] == pytest.approx(mean.tolist())
    assert [each.share_right.value for each in bins] == pytest.approx(share.tolist())
    weights = np.asarray([each.questions for each in bins]) / 500
    assert error_of(scores, is_right) == pytest.approx(float(weights @ np.abs(share - mean)))


def test_a_score_of_one_is_in_the_last_bin_and_empty_bins_are_left_out() -> None:
    bins = reliability(np.asarray([1.0, 0.95, 0.0]), np.asarray([True, True, False]), 0)
    assert [(each.low, each.high, each.questions) for each in bins] == [(0, 0.1, 1), (0.9, 1, 2)]


def test_a_calibrated_matcher_stays_under_chance_in_nineteen_of_twenty_cases() -> None:
    random = np.random.default_rng(0)
    scores = random.random(200)
    limit = chance_calibration_error(scores, 1)
    errors = [error_of(scores, random.random(200) < scores) for _ in range(400)]
    assert np.mean(np.asarray(errors) <= limit) == pytest.approx(0.95, abs=0.03)


def test_chance_makes_less_with_more_questions() -> None:
    scores = np.linspace(0, 1, 2000)
    assert chance_calibration_error(scores, 0) < chance_calibration_error(scores[::40], 0) / 2
