"""Seeded, stratified splits of the duplicates: the hold-out, and the folds of training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Positions of the duplicates that are trained on and of those that are held out, ascending."""

    training: Positions
    held_out: Positions


def split_holdout(owners: Positions, share: float, seed: int) -> Split:
    """Hold out a share of each original's duplicates, rounded, at least one and never all of them.

    Args:
        owners: position of the original of each duplicate.
        share: 0 to hold out nothing, else more than 0 and less than 1.
        seed: same duplicates, share and seed, same split.
    """
    held_out = np.zeros(len(owners), bool)
    random = np.random.default_rng(seed)
    for members in _by_original(owners):
        shuffled = random.permutation(members)
        count = min(len(members) - 1, max(1, round(share * len(members)))) if share else 0
        held_out[shuffled[:count]] = True
    return Split(np.flatnonzero(~held_out), np.flatnonzero(held_out))


def split_folds(owners: Positions, count: int, seed: int) -> list[Positions]:
    """Deal each original's duplicates to `count` folds, as evenly as can be; some may be empty."""
    fold_of = np.zeros(len(owners), np.int64)
    random = np.random.default_rng(seed)
    next_fold = 0
    for members in _by_original(owners):
        fold_of[random.permutation(members)] = (np.arange(len(members)) + next_fold) % count
        next_fold = (next_fold + len(members)) % count
    return [np.flatnonzero(fold_of == fold) for fold in range(count)]


def _by_original(owners: Positions) -> list[Positions]:
    order = np.argsort(owners, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(owners[order])) + 1)
