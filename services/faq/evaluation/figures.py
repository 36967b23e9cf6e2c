"""The figures of one matcher: where it ranks the right original, and whether to believe its scores."""

from __future__ import annotations

from typing import Final

import numpy as np

from services.faq.classifier import Float64s
from services.faq.evaluation.bootstrap import (
    Estimate,
    Figure,
    estimate,
    macro_of,
    mean_of,
    ratio_of,
)
from services.faq.evaluation.calibration import calibration_error_of
from services.faq.evaluation.outcomes import SMALLEST, Outcomes

PLACES: Final = (1, 2, 3, 5, 10)


def matcher_figures(outcomes: Outcomes, seed: int) -> dict[str, Estimate]:
    """Return every figure of a matcher on questions that all have a right original, of which there
    must be at least one: those of its ranking, and of its scores if they are probabilities.
    """
    figures = ranking_figures(outcomes)
    if outcomes.is_probability:
        figures |= probability_figures(outcomes)
    return estimate(figures, len(outcomes), seed)


def ranking_figures(outcomes: Outcomes) -> dict[str, Figure]:
    """Return accuracy@k (share of the questions whose right original is among the first k), mean
    reciprocal rank, mean rank, means over originals, and the recall of the candidates.
    """
    ranks, owners = outcomes.ranks, outcomes.owners
    at = {f"accuracy_at_{places}": mean_of(ranks <= places) for places in PLACES}
    return {
        **at,
        "mean_reciprocal_rank": mean_of(1 / ranks),
        "mean_rank": mean_of(ranks),
        "macro_accuracy_at_1": macro_of(ranks <= 1, owners),
        "macro_accuracy_at_3": macro_of(ranks <= 3, owners),
        "macro_mean_reciprocal_rank": macro_of(1 / ranks, owners),
        "candidate_recall": mean_of(outcomes.listed),
    }


def probability_figures(outcomes: Outcomes) -> dict[str, Figure]:
    """Return how far the scores are to be believed.

    Log-loss, Brier score (1950) and expected calibration error are of the first place's score, as
    the probability that it is right. Those of the pairs are of every score that was given.
    """
    right, scores = outcomes.is_right, outcomes.best_scores
    return {
        "log_loss": mean_of(_losses(np.where(right, scores, 1 - scores))),
        "brier_score": mean_of((scores - right) ** 2),
        "expected_calibration_error": calibration_error_of(scores, right),
        "pair_log_loss": ratio_of(outcomes.pair_losses, outcomes.pairs),
        "pair_brier_score": ratio_of(outcomes.pair_squares, outcomes.pairs),
        "low_signal_share": mean_of(outcomes.low_signal),
    }


def _losses(likelihood: Float64s) -> Float64s:
    return -np.log(np.maximum(likelihood, SMALLEST))
