"""When to say that a ranking should not be relied on: a threshold that is learnt, not chosen."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from services.faq.classifier import Float64s

PLACES: Final = 3


def low_signal_threshold(
    best_scores: Float64s, is_found: NDArray[np.bool_], weights: Float64s
) -> float:
    """Return the best score under which the right original is more likely outside the first three
    places than in them.

    The probability of being in them, as a function of the best score, is estimated by isotonic
    regression on out-of-fold rankings. 0 when it is at least one half everywhere, 1 when nowhere.

    Args:
        best_scores: best score of each ranking.
        is_found: whether each ranking has the right original in the first three places; where no
            original is right, it has not.
        weights: how much each ranking counts.
    """
    regression = IsotonicRegression(y_min=0, y_max=1).fit(best_scores, is_found, weights)
    likely = regression.X_thresholds_[regression.y_thresholds_ >= 0.5]
    if not len(likely):
        return 1.0
    return 0.0 if likely.min() <= best_scores.min() else float(likely.min())
