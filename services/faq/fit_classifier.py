"""Fitting the second stage: which candidate, or none, each question of training should choose.

An original that has no duplicate in the data is never the right one in training, since nobody asks
about it. As an alternative it would teach that having no duplicate speaks against an original, however
well the words agree. So it is a candidate, with which the others are compared, but no alternative: in
a conditional logit, the choices among some of the alternatives teach the same weights as those among
all (McFadden 1978, "Modelling the choice of residential location"). What the lack of duplicates is worth,
originals teach that are asked about and whose duplicates are withheld.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from services.faq.classifier import Float64s, PairClassifier, choice
from services.faq.features import without_candidate
from services.faq.space import Float32s

NO_MATCH_WEIGHT: Final = 0.1
"""How much a question whose original is not known counts, against 1 for one whose original is."""

_PENALTY: Final = 10.0
_MOST_STEPS: Final = 100
_FIRST_BIAS: Final = -2.0
_LEAST_SPREAD: Final = 1e-6


@dataclass(frozen=True)
class Choices:
    """Questions, and what each should choose.

    `features` is float32 (features, questions, candidates), `is_alternative` says which candidates can
    be chosen, (questions, candidates), `right` is the place of the right one or -1 for "none", and
    `weights` says how much each question counts.
    """

    features: Float32s
    is_alternative: NDArray[np.bool_]
    right: NDArray[np.int64]
    weights: Float64s


def fit_classifier(
    features: Float32s, is_match: NDArray[np.bool_], is_alternative: NDArray[np.bool_]
) -> PairClassifier:
    """Fit on questions with all of their candidates, and on the same questions without a match.

    A question with no match among its candidates should choose "none". Of such there are few, so each
    question is there a second time, without its right candidate: to it, its original is not known.

    Args:
        features: float32 (features, questions, candidates), computed without the questions
            themselves among the known duplicates.
        is_match: whether a candidate is the right one, (questions, candidates).
        is_alternative: whether it is one that questions are asked about; the right one is.
    """
    return fit_choices(matched_and_not(features, is_match, is_alternative))


def matched_and_not(
    features: Float32s, is_match: NDArray[np.bool_], is_alternative: NDArray[np.bool_]
) -> list[Choices]:
    """Return the questions as they are, and those that have a match once more, without it."""
    matched = is_match.any(axis=1)
    right = np.where(matched, is_match.argmax(axis=1), -1)
    asked = Choices(features, is_alternative, right, np.ones(len(right)))
    return [asked, no_match(features, is_match, is_alternative)]


def no_match(
    features: Float32s, is_match: NDArray[np.bool_], is_alternative: NDArray[np.bool_]
) -> Choices:
    """Return the questions that have a match, without it, which then should choose "none"."""
    matched = np.flatnonzero(is_match.any(axis=1))
    places = is_match[matched].argmax(axis=1)
    rest = without_candidate(features[:, matched], places)
    stays = np.arange(is_match.shape[1]) != places[:, np.newaxis]
    return Choices(
        features=rest,
        is_alternative=is_alternative[matched][stays].reshape(rest.shape[1:]),
        right=np.full(len(matched), -1),
        weights=np.full(len(matched), NO_MATCH_WEIGHT),
    )


def fit_choices(choices: Sequence[Choices]) -> PairClassifier:
    """Maximise the likelihood of the choices, less a penalty on the squares of the weights."""
    mean, spread = _standard(choices[0].features)
    scaled = [_scaled(each, mean, spread) for each in choices]
    start = np.append(np.zeros(len(mean)), _FIRST_BIAS)

    def loss(parameters: Float64s) -> tuple[float, Float64s]:
        weights = parameters[:-1]
        value = _PENALTY / 2 * float(weights @ weights)
        slope = np.append(_PENALTY * weights, 0.0)
        for each in scaled:
            each_value, each_slope = choice_loss(each, parameters)
            value += each_value
            slope += each_slope
        return value, slope

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _MOST_STEPS})
    weights: Float64s = found.x[:-1] / spread
    return PairClassifier(weights=weights, bias=float(found.x[-1] - weights @ mean))


def _standard(features: Float32s) -> tuple[Float64s, Float64s]:
    mean = features.mean(axis=(1, 2), dtype=np.float64)
    spread = features.std(axis=(1, 2), dtype=np.float64)
    return mean, np.where(spread > _LEAST_SPREAD, spread, 1.0)


def _scaled(choices: Choices, mean: Float64s, spread: Float64s) -> Choices:
    features = (choices.features - mean[:, np.newaxis, np.newaxis].astype(np.float32)) / spread[
        :, np.newaxis, np.newaxis
    ].astype(np.float32)
    return replace(choices, features=features)


def choice_loss(choices: Choices, parameters: Float64s) -> tuple[float, Float64s]:
    """Return the negative log-likelihood of the choices and its slope by each parameter."""
    kinds, texts, candidates = choices.features.shape
    flat = choices.features.reshape(kinds, -1)
    products = parameters[:-1].astype(np.float32) @ flat
    utilities = products.reshape(texts, candidates) + parameters[-1]
    likely, none = choice(np.where(choices.is_alternative, utilities, -np.inf))
    chosen = np.flatnonzero(choices.right >= 0)
    right = choices.right[chosen]
    truth = none.copy()
    truth[chosen] = likely[chosen, right]
    value = -float(choices.weights @ np.log(np.maximum(truth, np.finfo(np.float64).tiny)))
    likely[chosen, right] -= 1
    errors = likely * choices.weights[:, np.newaxis]
    slopes = flat @ errors.ravel().astype(np.float32)
    return value, np.append(slopes.astype(np.float64), errors.sum())
