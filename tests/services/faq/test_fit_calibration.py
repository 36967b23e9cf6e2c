"""Probabilities are those of questions as they are asked, whatever else the weights were learnt from."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from services.faq.classifier import PairClassifier
from services.faq.fit_calibration import fit_calibrated
from services.faq.fit_classifier import fit_classifier
from services.faq.space import Float32s

QUESTIONS, CANDIDATES = 600, 8
PARTS = np.tile(np.arange(QUESTIONS) % 2, 2)


def asked(
    strength: float, seed: int, questions: int = QUESTIONS
) -> tuple[Float32s, NDArray[np.bool_]]:
    """Questions of which one candidate is right: one signal says which, ten say nothing."""
    random = np.random.default_rng(seed)
    right = random.integers(0, CANDIDATES, questions)
    is_match = right[:, np.newaxis] == np.arange(CANDIDATES)
    features = random.standard_normal((11, questions, CANDIDATES)).astype(np.float32)
    features[0] += strength * is_match
    # `without_candidate` computes what depends on the others anew: here, nothing does.
    return features, is_match


@pytest.fixture(autouse=True)
def independent_features(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(features: Float32s, places: NDArray[np.int64]) -> Float32s:
        stays = np.arange(features.shape[2]) != places[:, np.newaxis]
        return features[:, stays].reshape(features.shape[0], features.shape[1], -1)

    monkeypatch.setattr("services.faq.fit_classifier.without_candidate", without)


def everything(is_match: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Every candidate is one that questions are asked about."""
    return np.ones(is_match.shape, np.bool_)


def gap(classifier: PairClassifier, features: Float32s, is_match: NDArray[np.bool_]) -> float:
    """How far the mean of the best scores is from the share that is right."""
    scores = classifier.probabilities(features)
    right = np.take_along_axis(is_match, scores.argmax(axis=1)[:, np.newaxis], axis=1)
    return float(scores.max(axis=1).mean() - right.mean())


def mixture() -> tuple[Float32s, NDArray[np.bool_], NDArray[np.bool_]]:
    """Easy questions and as many hard ones, and which are easy."""
    easy, easy_match = asked(4.0, 0)
    hard, hard_match = asked(0.5, 1)
    is_easy = np.arange(2 * QUESTIONS) < QUESTIONS
    return np.concatenate((easy, hard), axis=1), np.concatenate((easy_match, hard_match)), is_easy


def test_probabilities_are_those_of_the_questions_that_are_asked() -> None:
    features, is_match, is_easy = mixture()
    fitted = fit_calibrated(features, is_match, everything(is_match), PARTS, is_easy)
    fresh, fresh_match = asked(4.0, 2, 4000)
    before = gap(fit_classifier(features, is_match, everything(is_match)), fresh, fresh_match)
    assert before < -0.05
    assert abs(gap(fitted, fresh, fresh_match)) < abs(before) / 3


def test_the_order_of_candidates_stays() -> None:
    features, is_match, is_easy = mixture()
    fitted = fit_calibrated(features, is_match, everything(is_match), PARTS, is_easy)
    plain = fit_classifier(features, is_match, everything(is_match))
    np.testing.assert_array_equal(
        plain.utilities(features).argsort(axis=1), fitted.utilities(features).argsort(axis=1)
    )


def test_questions_that_taught_the_weights_do_not_calibrate_them() -> None:
    """With eighty signals of forty questions, what is learnt by heart looks sure, and is not."""
    features, is_match = asked(1.0, 3, questions=40)
    random = np.random.default_rng(4)
    noise = random.standard_normal((80, 40, CANDIDATES)).astype(np.float32)
    features = np.concatenate((features, noise))
    fitted = fit_calibrated(
        features, is_match, everything(is_match), np.arange(40) % 2, np.ones(40, np.bool_)
    )
    plain = fit_classifier(features, is_match, everything(is_match))
    assert fitted.weights[0] / plain.weights[0] < 1


def test_one_part_alone_is_left_as_it_is() -> None:
    features, is_match = asked(2.0, 0, questions=3)
    alternatives = everything(is_match)
    fitted = fit_calibrated(
        features, is_match, alternatives, np.zeros(3, np.int64), np.ones(3, np.bool_)
    )
    plain = fit_classifier(features, is_match, alternatives)
    np.testing.assert_array_equal(fitted.weights, plain.weights)
