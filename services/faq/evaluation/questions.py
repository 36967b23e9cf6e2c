"""Which questions are asked, and data sets with a part of what is known left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.faq.data import DataSet
from services.faq.split import Positions, Split, numbers_in_group
from services.faq.text import CleanText

MOST_QUESTIONS: Final = 5_000
"""Most questions that are asked; of more, a seeded sample: it makes intervals of one point or so."""


@dataclass(frozen=True)
class HeldOut:
    """The questions of an evaluation, and what may be learnt from."""

    data: DataSet
    """All of the data."""
    split: Split
    asked: Positions
    """Which of the held-out duplicates are asked, ascending; at least one."""

    @cached_property
    def training(self) -> DataSet:
        """The data without anything that is held out."""
        return with_duplicates(self.data, self.split.training)

    @cached_property
    def texts(self) -> list[CleanText]:
        """The questions."""
        return [self.data.duplicates[number].text for number in self.asked]

    @property
    def owners(self) -> NDArray[np.int64]:
        """Position of the right original of each question."""
        return self.data.owners[self.asked]

    @property
    def known_duplicates(self) -> NDArray[np.int64]:
        """How many known duplicates the right original of each question has."""
        return np.bincount(self.training.owners, minlength=len(self.data.originals))[self.owners]


def held_out(data: DataSet, split: Split, seed: int, *, most: int = MOST_QUESTIONS) -> HeldOut:
    """Choose the questions; the split must hold out at least one.

    Args:
        data: all of the data.
        split: which of its duplicates are held out.
        seed: of the sample.
        most: of more held-out questions, so many are chosen.
    """
    chosen = np.random.default_rng(seed).permutation(split.held_out)[:most]
    return HeldOut(data, split, np.sort(chosen))


def with_duplicates(data: DataSet, kept: Positions) -> DataSet:
    """Return the data with only some of the duplicates."""
    return replace(data, duplicates=[data.duplicates[number] for number in kept])


def at_most(data: DataSet, count: int, seed: int) -> DataSet:
    """Return the data with at most so many duplicates of each original.

    What is kept with a smaller count is kept with a greater one too.
    """
    shuffled = np.random.default_rng(seed).permutation(len(data.duplicates))
    numbers = numbers_in_group(data.owners[shuffled])
    return with_duplicates(data, np.sort(shuffled[numbers < count]))


def without_originals(data: DataSet, left_out: NDArray[np.bool_]) -> DataSet:
    """Return the data without some of the originals, and without their duplicates.

    Args:
        data: the data.
        left_out: for each original whether it goes.
    """
    new_position = np.cumsum(~left_out) - 1
    return replace(
        data,
        originals=[
            original for original, goes in zip(data.originals, left_out, strict=True) if not goes
        ],
        duplicates=[
            replace(duplicate, owner=int(new_position[duplicate.owner]))
            for duplicate in data.duplicates
            if not left_out[duplicate.owner]
        ],
    )
