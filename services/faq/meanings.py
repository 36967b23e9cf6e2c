"""Vectors of what the known texts mean, and how near a question's is to those of each original."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.faq.space import Float32s

Vectors = NDArray[np.floating]
"""(texts, dimensions), of length 1, rounded to half precision."""

MOST_WIDENED: Final = 32_000_000
"""Numbers of a model that are kept in single precision, which is faster; more stay as they are mapped."""


@dataclass(frozen=True, eq=False)
class KnownMeanings:
    """Vectors of the texts of `Known`, each in the order of its texts."""

    originals: Vectors
    answers: Vectors
    duplicates: Vectors
    titles: Vectors
    """Of the duplicates' titles alone."""

    def with_only(self, duplicates: NDArray[np.int64]) -> KnownMeanings:
        """Return the same with only some of the duplicates, given by position."""
        return replace(self, duplicates=self.duplicates[duplicates], titles=self.titles[duplicates])

    def asked(self, whole: NDArray[np.int64], titled: NDArray[np.int64]) -> Float32s:
        """Return the vectors of some duplicates, and after those of some titles."""
        return np.concatenate((self.duplicates[whole], self.titles[titled]), dtype=np.float32)

    def part(self, start: int, end: int, duplicates: NDArray[np.int64]) -> KnownMeanings:
        """Return the originals from `start` to `end` and some of the duplicates."""
        chosen = self.with_only(duplicates)
        return replace(chosen, originals=self.originals[start:end], answers=self.answers[start:end])


@dataclass(frozen=True, eq=False)
class Meanings:
    """Vectors of an index: of each original, its answer and its family, and of each duplicate, in the
    order of the index's rows. A family's is the mean of the original's and its duplicates', at length 1.
    """

    originals: Vectors
    answers: Vectors
    families: Vectors
    duplicates: Vectors

    @classmethod
    def of(
        cls, originals: Vectors, answers: Vectors, duplicates: Vectors, starts: NDArray[np.int64]
    ) -> Meanings:
        """Compute the families; original `i`'s duplicates are those from `starts[i]` on."""
        sums = originals.astype(np.float32)
        owners = np.repeat(np.arange(len(originals)), np.diff(starts))
        np.add.at(sums, owners, duplicates.astype(np.float32))
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        families = half_precision(sums / np.where(lengths > 0, lengths, 1))
        return cls(originals, answers, families, duplicates)

    def chosen(self, originals: NDArray[np.int64], duplicates: NDArray[np.int64]) -> Meanings:
        """Return those of some originals, and of their duplicates."""
        return Meanings(
            self.originals[originals],
            self.answers[originals],
            self.families[originals],
            self.duplicates[duplicates],
        )

    def widened(self) -> Meanings:
        """Return the same in single precision, if that is not too much."""
        arrays = (self.originals, self.answers, self.families, self.duplicates)
        if sum(each.size for each in arrays) > MOST_WIDENED:
            return self
        return Meanings(*(each.astype(np.float32) for each in arrays))


def joined(parts: Sequence[Meanings]) -> Meanings:
    """Put the vectors of parts of an index one after the other."""
    return Meanings(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("originals", "answers", "families", "duplicates")
        )
    )


def nearness(vectors: Vectors, chosen: NDArray[np.int64], meaning: Float32s) -> Float32s:
    """Return the cosines of the chosen vectors with a question's."""
    if len(chosen) < len(vectors):
        vectors = vectors[chosen]
    return vectors.astype(np.float32, copy=False) @ meaning


def half_precision(vectors: NDArray[Any]) -> Float32s:
    """Round to what the model folder stores, so that a model scores the same before and after."""
    return vectors.astype(np.float16).astype(np.float32)
