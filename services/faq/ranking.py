"""The scorer: posted questions in, originals ranked by calibrated probability out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.faq.analysis import Terms
from services.faq.classifier import Float64s, PairClassifier
from services.faq.features import pair_features
from services.faq.index import Index, compare
from services.faq.space import Float32s, Place

LARGEST_CHUNK: Final = 64
"""Texts that are compared at once, which bounds the memory of a large batch."""


@dataclass(frozen=True)
class Ranking:
    """All originals for one posted question.

    `order` holds positions of originals, the best first, equal scores by id; `scores` holds the
    probability of each original (by position, not by rank) that the question repeats it. They are
    independent of each other and do not add up to 1.
    """

    order: NDArray[np.int64]
    scores: Float64s
    low_signal: bool
    """Whether the ranking should not be relied on: no term of the question is known, or the first
    three places are not likely to hold the right original."""


@dataclass(frozen=True)
class Scorer:
    """The trained pipeline. Originals are in the order of their ids."""

    index: Index
    classifier: PairClassifier
    low_signal_below: float
    """Best score under which a ranking is flagged."""

    def rank(self, texts: Sequence[Terms]) -> list[Ranking]:
        """Rank the originals for each text; a text's scores do not depend on the others."""
        rankings: list[Ranking] = []
        for start in range(0, len(texts), LARGEST_CHUNK):
            places = [self.index.space.place(text) for text in texts[start : start + LARGEST_CHUNK]]
            rankings += self._rank_places(places)
        return rankings

    def _rank_places(self, places: Sequence[Place]) -> list[Ranking]:
        known = np.asarray([place.known for place in places])
        scores = self.classifier.probabilities(pair_features(compare(self.index, places), known))
        scores[known == 0] = 1 / self.index.originals
        orders = best_first(scores)
        low_signal = (known == 0) | (scores.max(axis=1) < self.low_signal_below)
        return [
            Ranking(order, row, bool(low))
            for order, row, low in zip(orders, scores, low_signal, strict=True)
        ]


def best_first(scores: Float64s) -> NDArray[np.int64]:
    """Return the positions of each row of scores, the greatest first, equal ones in their order."""
    return np.argsort(-scores, axis=1, kind="stable")


def features_of(index: Index, texts: Sequence[Terms]) -> Float32s:
    """Return the pair features of the texts, float32 (features, texts, originals)."""
    parts: list[Float32s] = []
    for start in range(0, len(texts), LARGEST_CHUNK):
        places = [index.space.place(text) for text in texts[start : start + LARGEST_CHUNK]]
        known = np.asarray([place.known for place in places])
        parts.append(pair_features(compare(index, places), known))
    return np.concatenate(parts, axis=1)
