"""Intervals by the bootstrap: the questions are drawn again, and every figure computed anew.

A figure is a function of how often each question was drawn, so that a thousand draws are one matrix
product, and two matchers are compared on the very same draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.faq.classifier import Float64s

Weights = NDArray[np.float64]
"""How often each question was drawn, (draws, questions)."""
Figure = Callable[[Weights], Float64s]
"""From weights to one value a draw; all ones give the figure itself."""

DRAWS: Final = 1000
LEVEL: Final = 0.95
_MOST_WEIGHTS: Final = 1 << 22
"""Most weights that are held at once."""


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


def estimate(figures: Mapping[str, Figure], questions: int, seed: int) -> dict[str, Estimate]:
    """Compute figures and their intervals.

    The interval is the bootstrap's percentile interval, moved by its estimate of the figure's bias
    (Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapters 10 and 13). The bias is
    nil for means; the calibration error, a sum of absolute values, only grows when drawn again.

    Args:
        figures: by name.
        questions: how many there are, at least one.
        seed: same seed, same draws.
    """
    drawn: dict[str, list[Float64s]] = {name: [] for name in figures}
    with np.errstate(invalid="ignore", divide="ignore"):
        for weights in _draws(questions, seed):
            for name, figure in figures.items():
                drawn[name].append(figure(weights))
        once = np.ones((1, questions))
        return {
            name: _estimate(float(figure(once)[0]), np.concatenate(drawn[name]))
            for name, figure in figures.items()
        }


def difference(first: Figure, second: Figure) -> Figure:
    """Return the figure that says by how much the first exceeds the second on the same draws."""
    return lambda weights: first(weights) - second(weights)


def mean_of(values: NDArray[np.float64] | NDArray[np.bool_]) -> Figure:
    """Return the mean over questions."""
    return lambda weights: weights @ values / weights.sum(axis=1)


def ratio_of(above: Float64s, below: Float64s | NDArray[np.int64] | NDArray[np.bool_]) -> Figure:
    """Return the ratio of two sums over questions; NaN where nothing below was drawn."""
    return lambda weights: (weights @ above) / (weights @ below)


def macro_of(values: NDArray[np.float64] | NDArray[np.bool_], groups: NDArray[np.int64]) -> Figure:
    """Return the mean over groups, of those that were drawn, of the mean in each group."""
    _, group = np.unique(groups, return_inverse=True)
    rows = np.arange(len(groups))
    membership = csr_array((np.ones(len(groups)), (rows, group)))

    def figure(weights: Weights) -> Float64s:
        counts = weights @ membership
        sums = (weights * values) @ membership
        drawn = counts > 0
        return np.where(drawn, sums / np.where(drawn, counts, 1), 0).sum(axis=1) / drawn.sum(axis=1)

    return figure


def _draws(questions: int, seed: int) -> Iterator[Weights]:
    random = np.random.default_rng(seed)
    rows = max(1, min(DRAWS, _MOST_WEIGHTS // questions))
    for start in range(0, DRAWS, rows):
        count = min(rows, DRAWS - start)
        chosen = random.integers(questions, size=(count, questions))
        chosen += np.arange(count)[:, np.newaxis] * questions
        yield (
            np.bincount(chosen.ravel(), minlength=count * questions)
            .reshape(count, -1)
            .astype(float)
        )


def _estimate(value: float, drawn: Float64s) -> Estimate:
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn) or not np.isfinite(value):
        return Estimate(value, value, value)
    tail = (1 - LEVEL) / 2
    moved = np.quantile(drawn, [tail, 1 - tail]) - (drawn.mean() - value)
    # Moved no further than any draw has been: a share stays a share.
    low, high = np.clip(moved, min(drawn.min(), value), max(drawn.max(), value))
    return Estimate(value, float(min(low, value)), float(max(high, value)))
