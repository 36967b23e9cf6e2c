"""The gate that a model must pass before it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.faq.evaluation.bootstrap import Estimate
from services.faq.evaluation.calibration import chance_calibration_error
from services.faq.evaluation.comparison import Comparison, Result
from services.faq.evaluation.figures import matcher_figures
from services.faq.golden import Miss
from services.faq.served_model import ServedComparison

ALWAYS_THE_SAME: Final = "largest_class"
"""The baseline that a model must be better than, not only as good as."""
ENOUGH_QUESTIONS: Final = 30
"""With fewer, a model need not be beyond its interval to be better."""

_GATED: Final = {"accuracy_at_1": "accuracy@1", "mean_reciprocal_rank": "mean reciprocal rank"}
_MOST_MISSES_NAMED: Final = 3


class QualityGateFailed(Exception):
    """The model is not good enough; the message says in one line which figures and by how much."""


@dataclass(frozen=True)
class Limits:
    """What a model must reach whatever it is compared with; shares from 0 to 1."""

    min_accuracy: float
    """Least accuracy@1."""
    max_calibration_error: float
    """Greatest expected calibration error, unless chance alone could make it."""


def failures(comparison: Comparison, limits: Limits, served: ServedComparison | None) -> list[str]:
    """Return what speaks against a model on the held-out questions; empty if it passes.

    A model is worse than another when the whole 95 % interval of the difference, on the same
    questions, is below zero.
    """
    figures = matcher_figures(comparison.model, comparison.seed)
    return [
        *_below_minimum(figures["accuracy_at_1"].value, limits.min_accuracy),
        *_worse_than_baselines(comparison),
        *_worse_than_served(served),
        *_badly_calibrated(comparison, figures["expected_calibration_error"].value, limits),
    ]


def golden_failures(missed: Sequence[Miss], questions: int) -> list[str]:
    """Return what speaks against a model on the golden set."""
    if not missed:
        return []
    named = "; ".join(str(miss) for miss in missed[:_MOST_MISSES_NAMED])
    more = len(missed) - _MOST_MISSES_NAMED
    rest = f"; and {more} more" if more > 0 else ""
    return [f"{len(missed)} of {questions} golden questions changed ({named}{rest})"]


def _below_minimum(reached: float, least: float) -> list[str]:
    if reached >= least:
        return []
    return [
        f"accuracy@1 is {reached:.1%}, which is {least - reached:.1%} below the minimum of "
        f"{least:.1%} (--min-accuracy)"
    ]


def _worse_than_baselines(comparison: Comparison) -> list[str]:
    found: list[str] = []
    differences = comparison.differences()
    for result in comparison.results[1:]:
        if result.outcomes is None:
            continue
        worse = _worse(differences[result.key], f"the baseline {result.title!r}", len(result.asked))
        if not worse and result.key == ALWAYS_THE_SAME:
            worse = _not_better(differences[result.key]["accuracy_at_1"], result)
        found += worse
    return found


def _worse(differences: dict[str, Estimate], than: str, questions: int) -> list[str]:
    return [
        f"{name} is {_shown(key, -estimate.value)} below that of {than} on the same {questions:,} "
        f"questions (95 % interval: {_shown(key, -estimate.high)} to {_shown(key, -estimate.low)})"
        for key, name in _GATED.items()
        if (estimate := differences[key]).high < 0
    ]


def _not_better(estimate: Estimate, result: Result) -> list[str]:
    """Say so if a model may be no better than always giving the same answers."""
    surely = estimate.low > 0
    probably = estimate.value > 0 and len(result.asked) < ENOUGH_QUESTIONS
    if surely or probably:
        return []
    return [
        f"accuracy@1 is not plainly better than that of the same answers always ({result.title}): "
        f"{100 * estimate.value:+.1f} points (95 % interval: {100 * estimate.low:+.1f} to "
        f"{100 * estimate.high:+.1f})"
    ]


def _worse_than_served(served: ServedComparison | None) -> list[str]:
    if served is None or served.differences is None:
        return []
    return _worse(served.differences, f"the model in place ({served.version})", served.questions)


def _badly_calibrated(comparison: Comparison, error: float, limits: Limits) -> list[str]:
    if error <= limits.max_calibration_error:
        return []
    chance = chance_calibration_error(comparison.model.best_scores, comparison.seed)
    if error <= chance:
        return []
    return [
        f"calibration error is {error:.1%}, which is {error - limits.max_calibration_error:.1%} "
        f"above the maximum of {limits.max_calibration_error:.1%} (--max-calibration-error; chance "
        f"alone makes up to {chance:.1%})"
    ]


def _shown(key: str, value: float) -> str:
    return f"{100 * value:.1f} points" if key.startswith("accuracy") else f"{value:.3f}"
