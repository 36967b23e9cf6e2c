"""The second stage chooses between a question's candidates and none of them."""

from __future__ import annotations

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


@pytest.fixture(scope="module")
def fitted(features: np.ndarray, is_match: np.ndarray) -> PairClassifier:
    return fit_classifier(features, is_match)


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
    unmatched = no_match(features, is_match)
    without = fitted.probabilities(unmatched.features).sum(axis=1) @ unmatched.weights
    matches = fitted.probabilities(features).sum() + without
    assert matches == pytest.approx(QUESTIONS, rel=0.01)


def test_a_question_whose_match_is_taken_away_scores_low(
    fitted: PairClassifier, features: np.ndarray, is_match: np.ndarray
) -> None:
    with_match = fitted.probabilities(features).max(axis=1)
    without = fitted.probabilities(no_match(features, is_match).features).max(axis=1)
    assert np.median(without) < 0.5 < np.median(with_match)


def test_a_batch_scores_as_each_question_alone(
    fitted: PairClassifier, features: np.ndarray
) -> None:
    together = fitted.probabilities(features)
    for number in range(0, QUESTIONS, 97):
        alone = fitted.probabilities(features[:, number : number + 1])
        np.testing.assert_array_equal(together[number], alone[0])


def test_questions_that_retrieval_has_missed_choose_none(features: np.ndarray) -> None:
    missed = fit_classifier(features, np.zeros((QUESTIONS, CANDIDATES), bool))
    assert missed.probabilities(features).sum(axis=1).max() < 0.1


def test_the_slope_of_the_loss_is_its_derivative() -> None:
    random = np.random.default_rng(1)
    choices = Choices(
        features=random.standard_normal((3, 5, 4)).astype(np.float32),
        right=np.asarray([0, -1, 3, 2, -1]),
        weights=np.asarray([1, 0.1, 1, 2, 0.5]),
    )
    at = random.standard_normal(4)
    error = check_grad(
        lambda x: choice_loss(choices, x)[0], lambda x: choice_loss(choices, x)[1], at, epsilon=1e-2
    )
    assert error < 0.05
