"""What a threshold on the score buys: fewer answers, of which more are right, and fewer answers to
questions that have none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.faq.classifier import Float64s
from services.faq.evaluation.bootstrap import (
    Estimate,
    Figure,
    Weights,
    estimate,
    ratio_of,
)
from services.faq.evaluation.outcomes import Outcomes
from services.faq.low_signal import PLACES

_REFUSED: Final = tuple(number / 20 for number in range(20))
"""Shares of the questions that get no answer, of the points of the curve."""
_KEPT: Final = 0.95
_ROC_POINTS: Final = 101


@dataclass(frozen=True)
class CoveragePoint:
    """What is left when only questions with a best score of at least `threshold` are answered."""

    threshold: float
    coverage: float
    """Share of the questions that are answered."""
    accuracy: Estimate
    """Share of the answered questions whose first place is right."""


@dataclass(frozen=True)
class NoMatch:
    """How well the best score tells questions with a right original from those without."""

    with_match: int
    without_match: int
    auroc: Estimate
    """Probability that a question with a right original scores higher than one without."""
    false_match_rate: Estimate
    """Share of the questions without a right original that are not flagged as low signal."""
    flagged_by_mistake: Estimate
    """Share of the questions with a right original that are flagged as low signal."""
    low_signal_precision: Estimate
    """Share of the flagged that are hopeless: without a right original, or with none in the first three
    places. NaN where none is flagged."""
    low_signal_recall: Estimate
    """Share of the hopeless that are flagged. NaN where none is hopeless."""
    false_match_rate_at_95: Estimate
    """Share of those without that get an answer when 95 % of those with one do."""
    threshold_at_95: float
    curve: list[tuple[float, float]]
    """Shares without and with a right original that get an answer, as the threshold falls."""


def coverage_curve(outcomes: Outcomes, seed: int) -> list[CoveragePoint]:
    """Move the threshold from answering everything to answering one question of twenty."""
    scores = outcomes.best_scores
    thresholds = np.unique(np.sort(scores)[[int(each * len(scores)) for each in _REFUSED]])
    answered = {threshold: scores >= threshold for threshold in thresholds}
    figures = {
        str(threshold): ratio_of((kept & outcomes.is_right).astype(float), kept)
        for threshold, kept in answered.items()
    }
    accuracies = estimate(figures, len(outcomes), seed)
    return [
        CoveragePoint(float(threshold), float(kept.mean()), accuracies[str(threshold)])
        for threshold, kept in answered.items()
    ]


def no_match(with_match: Outcomes, without_match: Outcomes, seed: int) -> NoMatch:
    """Compare the outcomes of questions that have a right original with those of others.

    Both kinds are drawn again together, for the intervals.
    """
    scores = np.concatenate((with_match.best_scores, without_match.best_scores))
    is_match = np.arange(len(scores)) < len(with_match)
    flagged = np.concatenate((with_match.low_signal, without_match.low_signal))
    hopeless = np.concatenate((with_match.ranks > PLACES, np.ones(len(without_match), bool)))
    threshold = float(np.quantile(with_match.best_scores, 1 - _KEPT, method="lower"))
    figures: dict[str, Figure] = {
        "auroc": auroc_of(scores, is_match),
        "false_match_rate": ratio_of((~flagged & ~is_match).astype(float), ~is_match),
        "flagged_by_mistake": ratio_of((flagged & is_match).astype(float), is_match),
        "low_signal_precision": ratio_of((flagged & hopeless).astype(float), flagged),
        "low_signal_recall": ratio_of((flagged & hopeless).astype(float), hopeless),
        "false_match_rate_at_95": ratio_of(
            ((scores >= threshold) & ~is_match).astype(float), ~is_match
        ),
    }
    return NoMatch(
        with_match=len(with_match),
        without_match=len(without_match),
        **estimate(figures, len(scores), seed),
        threshold_at_95=threshold,
        curve=_curve(scores, is_match),
    )


def auroc_of(scores: Float64s, is_match: NDArray[np.bool_]) -> Figure:
    """Return the area under the receiver operating characteristic; equal scores count one half.

    It is the share of the pairs of a question with and one without a match that are scored in the
    right order (Hanley and McNeil 1982).
    """
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))

    def figure(weights: Weights) -> Float64s:
        drawn = weights[:, order]
        positive = np.add.reduceat(drawn * is_match[order], starts, axis=1)
        negative = np.add.reduceat(drawn * ~is_match[order], starts, axis=1)
        lower = np.cumsum(negative, axis=1) - negative / 2
        return (positive * lower).sum(axis=1) / (positive.sum(axis=1) * negative.sum(axis=1))

    return figure


def _curve(scores: Float64s, is_match: NDArray[np.bool_]) -> list[tuple[float, float]]:
    thresholds = np.quantile(scores, np.linspace(1, 0, _ROC_POINTS))
    return [
        (float((scores[~is_match] >= each).mean()), float((scores[is_match] >= each).mean()))
        for each in thresholds
    ]
