"""Which duplicates are whose, and how near the nearest of each original are."""

from __future__ import annotations

from collections.abc import Sequence
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
    owners: Sequence[NDArray[np.int64]]
    """Which originals have one duplicate or more, which have two, which three."""
    last: NDArray[np.int64]
    """Behind which duplicate those of each original end."""

    @classmethod
    def of(cls, sizes: NDArray[np.int64]) -> OwnedDuplicates:
        """Say it of originals with so many duplicates each."""
        return cls(
            number=np.repeat(2 * np.arange(len(sizes)), sizes),
            owners=[np.flatnonzero(sizes > rank) for rank in range(_BEST)],
            last=np.cumsum(sizes),
        )

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
        ranked = np.clip(np.ascontiguousarray(similar), 0, 1) + self.number
        ranked.sort(axis=-1)
        ranked -= self.number
        top = np.zeros((_BEST, *original.shape), np.float32)
        for rank, owners in enumerate(self.owners):
            top[rank][..., owners] = ranked[..., self.last[owners] - 1 - rank]
        return np.stack((top[0], top.mean(axis=0, dtype=np.float32), np.maximum(top[0], original)))
