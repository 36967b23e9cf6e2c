"""Intervals are those of the bootstrap, and the same draws are made for all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap, norm

from services.faq.evaluation import bootstrap as under_test
from services.faq.evaluation.bootstrap import difference, estimate, macro_of, mean_of, ratio_of

values = st.lists(st.floats(0, 1), min_size=1, max_size=40).map(np.asarray)


def test_the_interval_of_a_mean_is_that_of_scipy() -> None:
    sample = np.random.default_rng(0).random(300) ** 2
    ours = estimate({"mean": mean_of(sample)}, 300, 0)["mean"]
    theirs = bootstrap(
        (sample,), np.mean, method="percentile", n_resamples=5000, rng=np.random.default_rng(1)
    ).confidence_interval
    assert ours.value == pytest.approx(sample.mean())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.005)


def test_the_interval_of_a_share_is_as_wide_as_its_normal_approximation() -> None:
    is_right = np.arange(1000) < 700
    ours = estimate({"share": mean_of(is_right)}, 1000, 0)["share"]
    half = norm.ppf(0.975) * np.sqrt(0.7 * 0.3 / 1000)
    assert (ours.low, ours.high) == pytest.approx((0.7 - half, 0.7 + half), abs=0.003)


def test_a_bias_that_the_draws_show_moves_the_interval() -> None:
    """The absolute value of a mean that is zero: drawn again, it is greater every time."""
    signs = np.where(np.arange(400) % 2, 1.0, -1.0)
    mean = mean_of(signs)
    ours = estimate({"size": lambda weights: np.abs(mean(weights))}, 400, 0)["size"]
    assert (ours.value, ours.low) == (0, 0)
    assert ours.high < 0.09


def test_the_same_answers_differ_by_nothing() -> None:
    first = mean_of(np.arange(50) < 20)
    ours = estimate({"difference": difference(first, first)}, 50, 0)["difference"]
    assert (ours.low, ours.value, ours.high) == (0, 0, 0)


def test_a_difference_of_answers_that_go_together_is_known_better_than_each() -> None:
    easy = np.arange(200) < 120
    first, second = mean_of(easy), mean_of(easy & (np.arange(200) >= 6))
    figures = {"first": first, "difference": difference(first, second)}
    ours = estimate(figures, 200, 0)
    assert ours["difference"].value == pytest.approx(0.03)
    assert ours["difference"].low > 0
    width = ours["first"].high - ours["first"].low
    assert ours["difference"].high - ours["difference"].low < width / 2


def test_a_macro_mean_counts_groups_alike() -> None:
    figure = macro_of(np.asarray([1.0, 0, 0, 1]), np.asarray([5, 5, 5, 9]))
    assert figure(np.ones((1, 4)))[0] == pytest.approx((1 / 3 + 1) / 2)
    without_nine = np.asarray([[1.0, 1, 2, 0]])
    assert figure(without_nine)[0] == pytest.approx(1 / 4)


def test_a_ratio_weighs_questions_by_what_is_below() -> None:
    figure = ratio_of(np.asarray([2.0, 3]), np.asarray([4, 1]))
    assert figure(np.asarray([[1.0, 1], [0, 2]])).tolist() == [1.0, 3.0]


def test_many_questions_are_drawn_in_lots_that_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures = {"mean": mean_of(np.arange(10) / 10)}
    at_once = estimate(figures, 10, 3)
    monkeypatch.setattr(under_test, "_MOST_WEIGHTS", 70)
    assert estimate(figures, 10, 3) == at_once


@settings(max_examples=30)
@given(values, st.integers(0, 5))
def test_an_interval_holds_its_figure_and_stays_in_the_range_of_the_values(
    sample: np.ndarray, seed: int
) -> None:
    ours = estimate({"mean": mean_of(sample)}, len(sample), seed)["mean"]
    assert ours.low <= ours.value <= ours.high
    assert sample.min() - 1e-9 <= ours.low
    assert ours.high <= sample.max() + 1e-9
    assert estimate({"mean": mean_of(sample)}, len(sample), seed)["mean"] == ours
