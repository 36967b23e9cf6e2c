"""The second stage chooses between a question's candidates and none of them."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest
from scipy.optimize import check_grad

from services.faq.classifier import PairClassifier
from services.faq.features import pair_features
from services.faq.fit_classifier import Choices, choice_loss, fit_classifier, no_match
from services.faq.index import SIGNALS

QUESTIONS, CANDIDATES = 400, 6


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    """Signals of noise, one of which is greater by 0.5 to 1.5 for the first candidate."""
    random = np.random.default_rng(0)
    signals = random.random((len(SIGNALS), QUESTIONS, CANDIDATES), np.float32)
    signals[0, :, 0] += 0.5 + random.random(QUESTIONS, np.float32)
    return pair_features(signals, np.full(QUESTIONS, 9))


@pytest.fixture(scope="module")
def is_match() -> np.ndarray:
    return np.broadcast_to(np.arange(CANDIDATES) == 0, (QUESTIONS, CANDIDATES))


ALL: Final = np.ones((QUESTIONS, CANDIDATES), bool)
"""Every candidate is one that questions are asked about."""


@pytest.fixture(scope="module")
def fitted(features: np.ndarray, is_match: np.ndarray) -> PairClassifier:
    return fit_classifier(features, is_match, ALL)


def test_odds_against_none_are_exponential() -> None:
    classifier = PairClassifier(np.asarray([1.0, 2.0]), bias=-1.0)
    features = np.asarray([[[1, 0]], [[0.5, 0]]], np.float32)
    odds = np.exp([1, -1])
    np.testing.assert_allclose(classifier.probabilities(features), [odds / (1 + odds.sum())])


def test_great_utilities_do_not_overflow() -> None:
    classifier = PairClassifier(np.asarray([1e6]), bias=0.0)
    scores = classifier.probabilities(np.asarray([[[1, 1], [-1, -1], [1, 0]]], np.float32))
    assert scores.tolist() == [[0.5, 0.5], [0, 0], [1, 0]]


def test_it_learns_which_signal_tells(fitted: PairClassifier, features: np.ndarray) -> None:
    assert (fitted.probabilities(features).argmax(axis=1) == 0).mean() > 0.85


def test_probabilities_add_up_to_as_many_matches_as_there_were(
    fitted: PairClassifier, features: np.ndarray, is_match: np.ndarray
) -> None:
    """At the greatest likelihood, as the slope by the bias is 0 there."""
    unmatched = no_match(features, is_match, ALL)
    without = fitted.probabilities(unmatched.features).sum(axis=1) @ unmatched.weights
    matches = fitted.probabilities(features).sum() + without
    assert matches == pytest.approx(QUESTIONS, rel=0.01)


def test_a_question_whose_match_is_taken_away_scores_low(
    fitted: PairClassifier, features: np.ndarray, is_match: np.ndarray
) -> None:
    with_match = fitted.probabilities(features).max(axis=1)
    without = fitted.probabilities(no_match(features, is_match, ALL).features).max(axis=1)
    assert np.median(without) < 0.5 < np.median(with_match)


def test_a_batch_scores_as_each_question_alone(
    fitted: PairClassifier, features: np.ndarray
) -> None:
    together = fitted.probabilities(features)
    for number in range(0, QUESTIONS, 97):
        alone = fitted.probabilities(features[:, number : number + 1])
        np.testing.assert_array_equal(together[number], alone[0])


def test_questions_that_retrieval_has_missed_choose_none(features: np.ndarray) -> None:
    missed = fit_classifier(features, np.zeros((QUESTIONS, CANDIDATES), bool), ALL)
    assert missed.probabilities(features).sum(axis=1).max() < 0.1


def test_the_slope_of_the_loss_is_its_derivative() -> None:
    random = np.random.default_rng(1)
    is_alternative = np.ones((5, 4), bool)
    is_alternative[[0, 1, 3], [3, 0, 1]] = False
    choices = Choices(
        features=random.standard_normal((3, 5, 4)).astype(np.float32),
        is_alternative=is_alternative,
        right=np.asarray([0, -1, 3, 2, -1]),
        weights=np.asarray([1, 0.1, 1, 2, 0.5]),
    )
    at = random.standard_normal(4)
    error = check_grad(
        lambda x: choice_loss(choices, x)[0], lambda x: choice_loss(choices, x)[1], at, epsilon=1e-2
    )
    assert error < 0.05


def test_what_is_no_alternative_weighs_as_if_it_were_no_candidate() -> None:
    random = np.random.default_rng(1)
    features = random.standard_normal((3, 5, 4)).astype(np.float32)
    right, weights = np.asarray([0, -1, 2, 2, -1]), np.asarray([1, 0.1, 1, 2, 0.5])
    is_alternative = np.broadcast_to(np.arange(4) < 3, (5, 4))
    at = random.standard_normal(4)
    loss, slope = choice_loss(Choices(features, is_alternative, right, weights), at)
    fewer = Choices(features[..., :3], is_alternative[:, :3], right, weights)
    expected_loss, expected_slope = choice_loss(fewer, at)
    assert loss == pytest.approx(expected_loss)
    np.testing.assert_allclose(slope, expected_slope, rtol=1e-5)


def test_a_question_without_its_match_keeps_which_of_the_others_are_alternatives(
    features: np.ndarray, is_match: np.ndarray
) -> None:
    is_alternative = np.broadcast_to(np.arange(CANDIDATES) % 2 == 0, (QUESTIONS, CANDIDATES))
    unmatched = no_match(features, is_match, is_alternative)
    np.testing.assert_array_equal(unmatched.is_alternative, is_alternative[:, 1:])


def test_that_nobody_asks_about_a_kind_of_candidates_does_not_speak_against_the_kind() -> None:
    """Half of the candidates have a signal of their own, and no question of training is about one."""
    random = np.random.default_rng(2)
    signals = random.random((len(SIGNALS), QUESTIONS, CANDIDATES), np.float32)
    signals[0, :, 0] += 1
    is_of_kind = np.broadcast_to(np.arange(CANDIDATES) % 2 == 1, (QUESTIONS, CANDIDATES))
    kind = SIGNALS.index("without_duplicates")
    signals[kind] = is_of_kind
    is_match = np.broadcast_to(np.arange(CANDIDATES) == 0, (QUESTIONS, CANDIDATES))
    features = pair_features(signals, np.full(QUESTIONS, 9))
    assert fit_classifier(features, is_match, ALL).weights[kind] < -0.5
    assert abs(fit_classifier(features, is_match, ~is_of_kind).weights[kind]) < 0.01
