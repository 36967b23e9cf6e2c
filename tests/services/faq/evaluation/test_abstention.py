"""Thresholds trade coverage for accuracy, and scores tell questions without a match."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from services.faq.evaluation.abstention import auroc_of, coverage_curve, no_match
from services.faq.evaluation.outcomes import NO_MATCH, Outcomes
from tests.services.faq.evaluation.test_outcomes import scored


def asked(best: list[float], *, right: list[bool], flagged: list[bool] | None = None) -> Outcomes:
    """Questions of two originals: the first place has the score, the second has none."""
    scores = np.stack((np.asarray(best), np.zeros(len(best))), axis=1)
    outcomes = scored(scores, [0 if each else 1 for each in right])
    flags = np.asarray(flagged if flagged is not None else [False] * len(best))
    return Outcomes(**{**vars(outcomes), "low_signal": flags})


def test_coverage_and_accuracy_by_hand() -> None:
    curve = coverage_curve(asked([0.9, 0.8, 0.4, 0.2], right=[True, True, False, True]), 0)
    points = [(each.threshold, each.coverage, each.accuracy.value) for each in curve]
    assert points == [
        (0.2, 1, 0.75),
        (0.4, 0.75, pytest.approx(2 / 3)),
        (0.8, 0.5, 1),
        (0.9, 0.25, 1),
    ]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_a_higher_threshold_never_answers_more(best: list[float]) -> None:
    curve = coverage_curve(asked(best, right=[True] * len(best)), 0)
    coverages = [point.coverage for point in curve]
    assert coverages[0] == 1
    assert coverages == sorted(coverages, reverse=True)
    assert all(point.accuracy.value == 1 for point in curve)


@given(
    st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40).filter(
        lambda pairs: len({match for _, match in pairs}) == 2
    )
)
def test_the_area_is_scikit_learn_s_with_ties_and_with_weights(
    pairs: list[tuple[int, bool]],
) -> None:
    scores = np.asarray([score for score, _ in pairs], float)
    is_match = np.asarray([match for _, match in pairs])
    weights = np.asarray([1 + number % 3 for number in range(len(pairs))], float)
    figure = auroc_of(scores, is_match)
    area, weighted = figure(np.stack((np.ones(len(pairs)), weights)))
    assert area == pytest.approx(roc_auc_score(is_match, scores))
    assert weighted == pytest.approx(roc_auc_score(is_match, scores, sample_weight=weights))


def test_false_matches_by_hand() -> None:
    with_match = asked([0.9, 0.8, 0.7, 0.2], right=[True] * 4, flagged=[False, False, False, True])
    scores = np.asarray([[0.85, 0], [0.1, 0]])
    without = scored(scores, [NO_MATCH, NO_MATCH])
    figures = no_match(with_match, without, 0)
    assert (figures.with_match, figures.without_match) == (4, 2)
    assert figures.auroc.value == pytest.approx((1 + 0.5 + 0.5 + 0.5) / 4)
    assert figures.false_match_rate.value == 1
    assert figures.flagged_by_mistake.value == 0.25
    assert figures.threshold_at_95 == 0.2
    assert figures.false_match_rate_at_95.value == 0.5
    assert (figures.curve[0], figures.curve[-1]) == ((0, 0.25), (1, 1))


def test_low_signal_is_held_to_hopeless_questions_by_hand() -> None:
    """Of four with a match, one has it in the fourth place; of two without, one is flagged."""
    scores = np.asarray(
        [[0.9, 0, 0, 0], [0.5, 0, 0, 0], [0.5, 0.4, 0.3, 0.2], [0.5, 0.4, 0.3, 0.2]]
    )
    with_match = scored(scores, [0, 0, 2, 3])
    with_match = Outcomes(
        **{**vars(with_match), "low_signal": np.asarray([False, True, False, True])}
    )
    without = scored(np.asarray([[0.1, 0, 0, 0], [0.9, 0, 0, 0]]), [NO_MATCH, NO_MATCH])
    none_flagged = no_match(asked([0.9], right=[True]), without, 0)
    assert np.isnan(none_flagged.low_signal_precision.value)
    assert none_flagged.low_signal_recall.value == 0
    without = Outcomes(**{**vars(without), "low_signal": np.asarray([True, False])})
    figures = no_match(with_match, without, 0)
    assert figures.low_signal_precision.value == pytest.approx(2 / 3)
    assert figures.low_signal_recall.value == pytest.approx(2 / 3)
