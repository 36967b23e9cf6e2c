"""Figures are those of their definitions, by hand and by scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss, top_k_accuracy_score

from services.faq.evaluation.figures import matcher_figures
from services.faq.evaluation.outcomes import Outcomes
from tests.services.faq.evaluation.test_outcomes import scored

random = np.random.default_rng(7)
SCORES = random.dirichlet(np.ones(12), size=90)
OWNERS = random.integers(12, size=90)


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    return scored(SCORES, OWNERS.tolist())


def value(outcomes: Outcomes, name: str) -> float:
    return matcher_figures(outcomes, 0)[name].value


def test_figures_of_ranks_by_hand() -> None:
    """Ranks 1, 1, 2 of original 0 and rank 3 of original 1."""
    scores = np.asarray([[3, 1, 1], [3, 1, 1], [2, 3, 1], [3, 1, 2]], float)
    figures = matcher_figures(scored(scores, [0, 0, 0, 1], is_probability=False), 0)
    assert figures["accuracy_at_1"].value == 0.5
    assert figures["accuracy_at_2"].value == 0.75
    assert figures["accuracy_at_3"].value == 1
    assert figures["mean_reciprocal_rank"].value == pytest.approx((1 + 1 + 1 / 2 + 1 / 3) / 4)
    assert figures["mean_rank"].value == pytest.approx(7 / 4)
    assert figures["macro_accuracy_at_1"].value == pytest.approx((2 / 3 + 0) / 2)
    assert figures["macro_mean_reciprocal_rank"].value == pytest.approx((2.5 / 3 + 1 / 3) / 2)
    assert figures["candidate_recall"].value == 1
    assert "log_loss" not in figures


@pytest.mark.parametrize("places", [1, 2, 3, 5, 10])
def test_accuracy_is_scikit_learn_s(outcomes: Outcomes, places: int) -> None:
    expected = top_k_accuracy_score(OWNERS, SCORES, k=places, labels=np.arange(12))
    assert value(outcomes, f"accuracy_at_{places}") == pytest.approx(expected)


def test_log_loss_and_brier_score_of_the_first_place_are_scikit_learn_s(
    outcomes: Outcomes,
) -> None:
    is_right = SCORES.argmax(axis=1) == OWNERS
    best = SCORES.max(axis=1)
    assert value(outcomes, "log_loss") == pytest.approx(log_loss(is_right, best))
    assert value(outcomes, "brier_score") == pytest.approx(brier_score_loss(is_right, best))


def test_log_loss_and_brier_score_of_the_pairs_are_scikit_learn_s(outcomes: Outcomes) -> None:
    truth = (OWNERS[:, np.newaxis] == np.arange(12)).ravel()
    assert value(outcomes, "pair_log_loss") == pytest.approx(log_loss(truth, SCORES.ravel()))
    assert value(outcomes, "pair_brier_score") == pytest.approx(
        brier_score_loss(truth, SCORES.ravel())
    )


@settings(max_examples=25)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(0, 3))
def test_further_places_and_intervals_only_ever_add(owners: list[int], seed: int) -> None:
    scores = np.random.default_rng(seed).random((len(owners), 10))
    figures = matcher_figures(scored(scores, owners), seed)
    at = [figures[f"accuracy_at_{places}"] for places in (1, 2, 3, 5, 10)]
    assert [each.value for each in at] == sorted(each.value for each in at)
    assert at[-1].value == 1
    assert all(each.low <= each.value <= each.high for each in figures.values())
    assert 1 <= figures["mean_rank"].value <= 10
    assert figures["accuracy_at_1"].value <= figures["mean_reciprocal_rank"].value <= 1
