"""The second stage: from the features of pairs to calibrated probabilities. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.faq.space import Float32s

Float64s = NDArray[np.float64]


@dataclass(frozen=True)
class PairClassifier:
    """A choice between the candidates of a question and "none of them".

    A conditional logit (McFadden 1974, "Conditional logit analysis of qualitative choice behavior"):
    a candidate's odds against "none" are `exp(weights · features + bias)`, and the probabilities
    of all candidates and of "none" add up to 1. `weights` is float64 (features,), for features as
    they are: the scaling is part of it.
    """

    weights: Float64s
    bias: float

    def probabilities(self, features: Float32s) -> Float64s:
        """Return the probability of each candidate, float64 (texts, candidates).

        Added up feature by feature, so that a text's scores do not depend on its batch, and in the
        precision of the weights.

        Args:
            features: float32 (features, texts, candidates).
        """
        return choice(self.utilities(features))[0]

    def utilities(self, features: Float32s) -> Float64s:
        """Return the logarithms of the odds of each candidate against "none", (texts, candidates)."""
        return np.einsum("f,ftc->tc", self.weights, features) + self.bias


def choice(utilities: Float64s) -> tuple[Float64s, Float64s]:
    """Return the probabilities of candidates, (texts, candidates), and of "none", (texts,).

    Args:
        utilities: float64 (texts, candidates); that of "none" is 0.
    """
    greatest = np.maximum(utilities.max(axis=1), 0)
    candidates = np.exp(utilities - greatest[:, np.newaxis])
    none = np.exp(-greatest)
    total = candidates.sum(axis=1) + none
    return candidates / total[:, np.newaxis], none / total
