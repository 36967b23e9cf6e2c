"""What a matcher did with a question is what can be counted by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.faq.evaluation.outcomes import (
    NO_MATCH,
    Outcomes,
    outcomes_of_rankings,
    outcomes_of_scores,
)
from services.faq.ranking import Ranking

THREE = np.asarray([[0.7, 0.2, 0.2], [0.1, 0.6, 0.6], [0.3, 0.3, 0.3]])


def scored(scores: np.ndarray, owners: Sequence[int], *, is_probability: bool = True) -> Outcomes:
    rows = iter(np.split(scores, len(scores)))
    return outcomes_of_scores(
        lambda texts: np.concatenate([next(rows) for _ in texts]),
        [""] * len(scores),
        np.asarray(owners),
        scores.shape[1],
        is_probability=is_probability,
    )


def ranked(
    positions: Sequence[int], scores: Sequence[float], *, low_signal: bool = False
) -> Ranking:
    return Ranking(np.asarray(positions), np.asarray(scores), low_signal)


def test_equal_scores_are_ranked_by_position() -> None:
    assert scored(THREE, [0, 2, 1]).ranks.tolist() == [1, 2, 2]


def test_a_pair_s_loss_is_that_of_the_truth() -> None:
    outcomes = scored(THREE[:1], [1])
    assert outcomes.pair_losses[0] == pytest.approx(-np.log([0.3, 0.2, 0.8]).sum())
    assert outcomes.pair_squares[0] == pytest.approx(0.7**2 + 0.8**2 + 0.2**2)
    assert outcomes.pairs.tolist() == [3]


def test_a_model_s_ranking_says_the_same_as_its_scores() -> None:
    rankings = [
        ranked([0, 1, 2], [0.7, 0.2, 0.2]),
        ranked([1, 2, 0], [0.6, 0.6, 0.1]),
        ranked([0, 1, 2], [0.3, 0.3, 0.3], low_signal=True),
    ]
    owners = np.asarray([0, 2, NO_MATCH])
    of_rankings = outcomes_of_rankings(rankings, owners, 3)
    of_scores = scored(THREE, owners.tolist())
    for name in ("ranks", "listed", "best_scores", "pairs", "pair_losses", "pair_squares"):
        np.testing.assert_allclose(getattr(of_rankings, name), getattr(of_scores, name))
    assert of_rankings.low_signal.tolist() == [False, False, True]


def test_an_original_that_is_no_candidate_is_in_the_middle_of_the_ranks_left() -> None:
    """Of nine originals, two are candidates: ranks 3 to 9 are left, whose mean is 6."""
    outcomes = outcomes_of_rankings([ranked([7, 3], [0.8, 0.1])], np.asarray([4]), 9)
    assert (outcomes.ranks.tolist(), outcomes.listed.tolist()) == ([6], [False])


def test_a_question_without_a_match_has_no_rank() -> None:
    outcomes = scored(THREE, [0, NO_MATCH, 1])
    assert np.isnan(outcomes.ranks).tolist() == [False, True, False]
    assert outcomes.is_right.tolist() == [True, False, False]
    assert outcomes.pair_losses[1] == pytest.approx(-np.log([0.9, 0.4, 0.4]).sum())


def test_certainty_in_what_is_wrong_has_a_finite_loss() -> None:
    assert np.isfinite(scored(np.asarray([[1.0, 0.0]]), [1]).pair_losses).all()


def test_a_part_of_the_questions_keeps_all_values_together() -> None:
    part = scored(THREE, [0, 2, 1]).only(np.asarray([2, 0]))
    assert (part.owners.tolist(), part.ranks.tolist(), len(part)) == ([1, 0], [2, 1], 2)


@given(st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=1, max_size=8))
def test_a_rank_is_the_place_in_a_stable_sort(rows: list[list[int]]) -> None:
    scores = np.asarray(rows, float)
    owners = np.arange(len(rows)) % 4
    order = np.argsort(-scores, axis=1, kind="stable")
    expected = 1 + np.argmax(order == owners[:, np.newaxis], axis=1)
    outcomes = scored(scores, owners.tolist(), is_probability=False)
    assert outcomes.ranks.tolist() == expected.tolist()
