"""Seeded splits of the duplicates: the hold-out, and the folds of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.faq.data import DataSet, Duplicate
from services.faq.split_kind import SplitKind

Positions = NDArray[np.int64]

HELD_OUT_PART: Final = "test"
"""The part of a data set's own split that is held out; every other part is trained on."""


class NoSuchSplit(Exception):
    """The data cannot be split in the way that is asked for; the message is one line."""


@dataclass(frozen=True)
class Split:
    """Positions of the duplicates that are trained on and of those that are held out, ascending."""

    training: Positions
    held_out: Positions
    kind: SplitKind = SplitKind.STRATIFIED
    """How the split was made; never `AUTO`."""
    since: datetime | None = None
    """When the first held-out duplicate was asked, of a split by time."""


def split_data(data: DataSet, share: float, seed: int, kind: SplitKind = SplitKind.AUTO) -> Split:
    """Hold out duplicates in the way that the data allows.

    Args:
        data: the data set.
        share: of the duplicates that is held out, 0 for none; does not matter for `OWN`, unless 0.
        seed: decides a stratified split.
        kind: how.

    Raises:
        NoSuchSplit: the data has no split of its own, or a duplicate has no date.
    """
    if kind is SplitKind.AUTO:
        kind = _natural_kind(data.duplicates)
    if not share or not data.duplicates:
        return Split(np.arange(len(data.duplicates)), np.zeros(0, np.int64), kind)
    if kind is SplitKind.OWN:
        return _split_by_part(data.duplicates)
    if kind is SplitKind.TIME:
        return _split_by_time(data.duplicates, share)
    return split_holdout(data.owners, share, seed)


def split_holdout(owners: Positions, share: float, seed: int) -> Split:
    """Hold out a share of each original's duplicates, rounded, at least one and never all of them.

    Of the originals with a single duplicate, that share loses it: how well a model does without any
    known duplicate can be seen of them.

    Args:
        owners: position of the original of each duplicate.
        share: 0 to hold out nothing, else more than 0 and less than 1.
        seed: same duplicates, share and seed, same split.
    """
    held_out = np.zeros(len(owners), bool)
    random = np.random.default_rng(seed)
    single: list[int] = []
    for members in _by_original(owners):
        if len(members) == 1:
            single.append(int(members[0]))
            continue
        shuffled = random.permutation(members)
        count = min(len(members) - 1, max(1, round(share * len(members)))) if share else 0
        held_out[shuffled[:count]] = True
    held_out[random.permutation(np.asarray(single, np.int64))[: round(share * len(single))]] = True
    return _split(held_out, SplitKind.STRATIFIED)


def split_folds(owners: Positions, count: int, seed: int) -> list[Positions]:
    """Deal each original's duplicates to `count` folds, as evenly as can be; some may be empty."""
    fold_of = np.zeros(len(owners), np.int64)
    random = np.random.default_rng(seed)
    next_fold = 0
    for members in _by_original(owners):
        fold_of[random.permutation(members)] = (np.arange(len(members)) + next_fold) % count
        next_fold = (next_fold + len(members)) % count
    return [np.flatnonzero(fold_of == fold) for fold in range(count)]


def _natural_kind(duplicates: Sequence[Duplicate]) -> SplitKind:
    if any(duplicate.part == HELD_OUT_PART for duplicate in duplicates):
        return SplitKind.OWN
    dated = bool(duplicates) and all(duplicate.created for duplicate in duplicates)
    return SplitKind.TIME if dated else SplitKind.STRATIFIED


def _split_by_part(duplicates: Sequence[Duplicate]) -> Split:
    held_out = np.asarray([duplicate.part == HELD_OUT_PART for duplicate in duplicates])
    if held_out.all() or not held_out.any():
        raise NoSuchSplit(
            f"the data has no split of its own: {'all' if held_out.all() else 'none'} of its "
            f"{len(held_out)} duplicates are in the part {HELD_OUT_PART!r} of dup-meta.tsv.gz"
        )
    return _split(held_out, SplitKind.OWN)


def _split_by_time(duplicates: Sequence[Duplicate], share: float) -> Split:
    """Hold out the latest; those asked at the very same moment are all on the same side."""
    dates = [duplicate.created for duplicate in duplicates if duplicate.created]
    if len(dates) < len(duplicates):
        raise NoSuchSplit(
            f"the data cannot be split by time: {len(duplicates) - len(dates)} of its "
            f"{len(duplicates)} duplicates have no date"
        )
    moments = np.asarray([date.timestamp() for date in dates])
    latest = max(1, round(share * len(moments)))
    held_out = moments >= np.sort(moments)[-latest]
    if held_out.all():
        raise NoSuchSplit("the data cannot be split by time: all dates are the same")
    return _split(held_out, SplitKind.TIME, min(np.asarray(dates)[held_out]))


def _split(held_out: NDArray[np.bool_], kind: SplitKind, since: datetime | None = None) -> Split:
    return Split(np.flatnonzero(~held_out), np.flatnonzero(held_out), kind, since)


def numbers_in_group(owners: Positions) -> Positions:
    """Return how many earlier duplicates have the same original, for each duplicate as they are given."""
    order = np.argsort(owners, kind="stable")
    ordered = owners[order]
    numbers = np.empty(len(owners), np.int64)
    numbers[order] = np.arange(len(owners)) - np.searchsorted(ordered, ordered)
    return numbers


def _by_original(owners: Positions) -> list[Positions]:
    order = np.argsort(owners, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(owners[order])) + 1)
