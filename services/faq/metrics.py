"""How good the rankings of a training are on its own folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

_NORMAL_95: Final = 1.959964


@dataclass(frozen=True)
class Accuracy:
    """Where rankings put the right original; shares are 0 to 1."""

    questions: int
    accuracy_at_1: float
    accuracy_at_2: float
    accuracy_at_3: float
    mean_reciprocal_rank: float
    mean_rank: float
    accuracy_at_1_low: float
    """Lower end of the 95 % interval of accuracy_at_1 (Wilson 1927)."""
    accuracy_at_1_high: float
    """Upper end of that interval."""
    macro_accuracy_at_1: float
    """Mean over originals, so that a frequent one counts no more than a rare one."""


def accuracy(places: NDArray[np.int64], owners: NDArray[np.int64]) -> Accuracy:
    """Sum up the places (0 is first) that the right originals `owners` have got."""
    questions = len(places)
    right = places == 0
    low, high = wilson_interval(int(right.sum()), questions)
    per_original = np.bincount(owners, right)[np.unique(owners)]
    return Accuracy(
        questions=questions,
        accuracy_at_1=float(right.mean()),
        accuracy_at_2=float((places < 2).mean()),
        accuracy_at_3=float((places < 3).mean()),
        mean_reciprocal_rank=float((1 / (places + 1)).mean()),
        mean_rank=float((places + 1).mean()),
        accuracy_at_1_low=low,
        accuracy_at_1_high=high,
        macro_accuracy_at_1=float((per_original / np.bincount(owners)[np.unique(owners)]).mean()),
    )


def places_of(
    ranked: Sequence[NDArray[np.int64]] | NDArray[np.int64],
    owners: NDArray[np.int64],
    originals: int,
) -> NDArray[np.int64]:
    """Return at which place (0 is first) each ranking has the right original.

    One that is not among the ranked is put in the middle of the places that are left.
    """
    places = np.empty(len(owners), np.int64)
    for number, (positions, owner) in enumerate(zip(ranked, owners, strict=True)):
        found = np.flatnonzero(positions == owner)
        places[number] = found[0] if len(found) else (len(positions) + originals - 1) // 2
    return places


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927, "Probable inference")."""
    if not trials:
        return 0.0, 1.0
    share, z2 = successes / trials, _NORMAL_95**2
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = (
        _NORMAL_95 / (1 + z2 / trials) * sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    )
    return max(0.0, middle - half), min(1.0, middle + half)
