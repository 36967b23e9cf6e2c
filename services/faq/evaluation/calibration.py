"""Whether a score of 0.8 is right in eight of ten cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.faq.classifier import Float64s
from services.faq.evaluation.bootstrap import Estimate, Figure, Weights, estimate, ratio_of

BINS: Final = 10
_CHANCE_DRAWS: Final = 1000


@dataclass(frozen=True)
class ReliabilityBin:
    """The questions whose first place has a score from `low` to under `high`."""

    low: float
    high: float
    questions: int
    mean_score: float
    share_right: Estimate


def calibration_error_of(scores: Float64s, is_right: NDArray[np.bool_]) -> Figure:
    """Return the expected calibration error of scores in [0, 1].

    The mean over ten bins of equal width, weighted by the questions in them, of |mean score - share
    that is right| (Naeini, Cooper and Hauskrecht 2015).
    """
    membership = _membership(scores)
    gaps = membership * (scores - is_right)[:, np.newaxis]

    def figure(weights: Weights) -> Float64s:
        return np.abs(weights @ gaps).sum(axis=1) / weights.sum(axis=1)

    return figure


def reliability(scores: Float64s, is_right: NDArray[np.bool_], seed: int) -> list[ReliabilityBin]:
    """Return the bins that have questions, for the reliability diagram."""
    membership = _membership(scores)
    filled = np.flatnonzero(membership.any(axis=0))
    shares = estimate(
        {
            str(each): ratio_of(membership[:, each] * is_right, membership[:, each])
            for each in filled
        },
        len(scores),
        seed,
    )
    return [
        ReliabilityBin(
            low=float(each / BINS),
            high=float((each + 1) / BINS),
            questions=int(membership[:, each].sum()),
            mean_score=float(scores @ membership[:, each] / membership[:, each].sum()),
            share_right=shares[str(each)],
        )
        for each in filled
    ]


def chance_calibration_error(scores: Float64s, seed: int) -> float:
    """Return the calibration error that a perfectly calibrated matcher would stay under in 95 % of
    cases, with these scores: with few questions, chance alone makes a gap.

    What is right is drawn again and again with the scores as probabilities (Bröcker and Smith
    2007, "Increasing the reliability of reliability diagrams").
    """
    random = np.random.default_rng(seed)
    membership = _membership(scores)
    errors = np.empty(_CHANCE_DRAWS)
    for draw in range(_CHANCE_DRAWS):
        gap = scores - (random.random(len(scores)) < scores)
        errors[draw] = np.abs(gap @ membership).sum() / len(scores)
    return float(np.quantile(errors, 0.95))


def _membership(scores: Float64s) -> Float64s:
    """Return which bin each score is in, float64 (questions, BINS), ones and zeros."""
    bins = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    return (bins[:, np.newaxis] == np.arange(BINS)).astype(np.float64)
