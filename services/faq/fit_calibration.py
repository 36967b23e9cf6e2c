"""Calibrating the second stage on questions such as are asked, with what other questions taught.

The weights are learnt from questions of which some were asked while originals had few duplicates, so
that the model knows what the signals of such originals say. Those are harder than the questions that
the served index is asked, and the probabilities would be too modest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from services.faq.classifier import Float64s, PairClassifier
from services.faq.fit_classifier import Choices, choice_loss, fit_classifier, matched_and_not
from services.faq.space import Float32s

_PENALTY: Final = 10.0
"""On the square of how far the scale is from 1, for few questions."""
_BOUNDS: Final = ((0.1, 10.0), (-10.0, 10.0))


def fit_calibrated(
    features: Float32s,
    is_match: NDArray[np.bool_],
    is_alternative: NDArray[np.bool_],
    parts: NDArray[np.int64],
    is_asked: NDArray[np.bool_],
) -> PairClassifier:
    """Fit on all questions, and scale and move the utilities: what Platt (1999) does to the margins
    of a support vector machine, by the likelihood of the choices of some.

    The utilities that this is learnt from are those of questions which did not teach the weights, so
    that no scale is learnt that holds for what is known by heart only.

    Args:
        features: float32 (features, questions, candidates).
        is_match: whether a candidate is the right one, (questions, candidates).
        is_alternative: whether it is one that questions are asked about.
        parts: which part each question is in; a question and its variants are in the same one.
        is_asked: which of the questions are such as are asked.
    """
    classifier = fit_classifier(features, is_match, is_alternative)
    choices: list[Choices] = []
    for part in np.unique(parts):
        own, others = (parts == part) & is_asked, parts != part
        if not own.any() or not is_match[others].any():
            continue
        taught = fit_classifier(features[:, others], is_match[others], is_alternative[others])
        choices += [
            replace(each, features=taught.utilities(each.features)[np.newaxis])
            for each in matched_and_not(features[:, own], is_match[own], is_alternative[own])
        ]
    scale, bias = _fitted(choices)
    return PairClassifier(classifier.weights * scale, classifier.bias * scale + bias)


def _fitted(choices: list[Choices]) -> tuple[float, float]:
    def loss(parameters: Float64s) -> tuple[float, Float64s]:
        value = _PENALTY / 2 * float(parameters[0] - 1) ** 2
        slope = np.asarray((_PENALTY * (parameters[0] - 1), 0.0))
        for each in choices:
            each_value, each_slope = choice_loss(each, parameters)
            value += each_value
            slope += each_slope
        return value, slope

    found = minimize(loss, np.asarray((1.0, 0.0)), jac=True, method="L-BFGS-B", bounds=_BOUNDS)
    return float(found.x[0]), float(found.x[1])
