"""Which duplicates are whose, and how near the nearest of each original are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.faq.space import Float32s

_BEST: Final = 3
"""Most duplicates of an original whose similarities count."""


@dataclass(frozen=True, eq=False)
class OwnedDuplicates:
    """The duplicates of some originals, those of each together."""

    number: NDArray[np.int64]
    """For each duplicate, twice the number of its original among those originals."""
    nearest_places: NDArray[np.int64]
    """Where each original's nearest, second and third are, (3, originals), when those of each are
    ascending; behind all duplicates where there is none."""

    @classmethod
    def of(cls, sizes: NDArray[np.int64]) -> OwnedDuplicates:
        """Say it of originals with so many duplicates each."""
        ranks = np.arange(_BEST)[:, np.newaxis]
        number = np.repeat(2 * np.arange(len(sizes)), sizes)
        places = np.where(ranks < sizes, np.cumsum(sizes) - 1 - ranks, len(number))
        return cls(number=number, nearest_places=places)

    def nearest(self, similar: Float32s, original: Float32s) -> Float32s:
        """Return the best, the mean of the best three, and the best of those and the original.

        One sort for all: twice the original's number is added to the similarities, all in [0, 1],
        of its duplicates, so that a sort keeps them apart from others'. Where there are fewer than
        three, zeros take their places.

        Args:
            similar: of the duplicates, (…, duplicates).
            original: the similarity of each original itself, (…, originals).

        Returns:
            float32 (3, …, originals).
        """
        # A row is sorted sooner where it lies in one piece.
        numbered = np.clip(np.ascontiguousarray(similar), 0, 1) + self.number
        numbered.sort(axis=-1)
        ascending = np.zeros((*similar.shape[:-1], len(self.number) + 1), np.float32)
        np.subtract(numbered, self.number, out=ascending[..., :-1], casting="same_kind")
        top = np.take(ascending, self.nearest_places, axis=-1)
        best = top[..., 0, :]
        mean = top.mean(axis=-2, dtype=np.float32)
        return np.stack((best, mean, np.maximum(best, original)))
