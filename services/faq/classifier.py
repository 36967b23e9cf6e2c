"""The second stage: from the features of a pair to a calibrated probability. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.faq.space import Float32s

Float64s = NDArray[np.float64]


@dataclass(frozen=True)
class PairClassifier:
    """A logistic regression and the sigmoid that calibrates it.

    A pair's probability is `1 / (1 + exp(slope · (weights · features + bias) + offset))` (Platt
    1999, "Probabilistic Outputs for Support Vector Machines"; the slope is negative). `weights` is
    float64 (features,), for features as they are: the scaling is part of it.
    """

    weights: Float64s
    bias: float
    slope: float
    offset: float

    def probabilities(self, features: Float32s) -> Float64s:
        """Return the probability of each pair, float64 (texts, candidates).

        Added up feature by feature, so that a text's scores do not depend on its batch.

        Args:
            features: float32 (features, texts, candidates).
        """
        margins = np.einsum("f,fto->to", self.weights, features.astype(np.float64)) + self.bias
        return 1 / (1 + np.exp(np.clip(self.slope * margins + self.offset, -700, 700)))
