"""The scorer: posted questions in, originals ranked by calibrated probability out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.faq.classifier import Float64s, PairClassifier
from services.faq.encoder import Encoder
from services.faq.features import pair_features
from services.faq.index import Index
from services.faq.retrieval import Candidates
from services.faq.signals import candidates_of, compare
from services.faq.space import Float32s
from services.faq.terms import Terms

LARGEST_CHUNK: Final = 64
"""Texts that are compared at once, which bounds the memory of a large batch."""


@dataclass(frozen=True)
class Ranking:
    """The candidates for one posted question, the best first, equal scores by id.

    `positions` holds their positions among the originals, `scores` the probability of each, in the
    same order, that the question repeats it. What they leave to 1 is the probability
    that it repeats none. Where the originals are few, all of them are candidates; where they are not,
    the score of any other is taken to be 0.
    """

    positions: NDArray[np.int64]
    scores: Float64s
    low_signal: bool
    """Whether the ranking should not be relied on: no term of the question is known, or the first
    three places are not likely to hold the right original."""


@dataclass(frozen=True)
class Pairs:
    """Texts and their candidates, as the second stage sees them."""

    features: Float32s
    """(features, texts, candidates)."""
    candidates: Candidates
    """(texts, candidates)."""
    known: NDArray[np.int64]
    """Number of different known terms of each text."""


@dataclass(frozen=True)
class Scorer:
    """The trained pipeline. Originals are in the order of their ids."""

    index: Index
    classifier: PairClassifier
    low_signal_below: float
    """Best score under which a ranking is flagged."""
    encoder: Encoder | None = None
    """Where the index knows what its texts mean."""

    def rank(self, texts: Sequence[Terms]) -> list[Ranking]:
        """Rank the candidates for each text; a text's scores do not depend on the others."""
        rankings: list[Ranking] = []
        for start in range(0, len(texts), LARGEST_CHUNK):
            some = texts[start : start + LARGEST_CHUNK]
            rankings += self._rank(_pairs(self.index, some, self._meanings(some)))
        return rankings

    def _meanings(self, texts: Sequence[Terms]) -> Float32s | None:
        return self.encoder and self.encoder.encode([text.sentence for text in texts])

    def _rank(self, pairs: Pairs) -> list[Ranking]:
        scores = self.classifier.probabilities(pairs.features)
        nothing_known = pairs.known == 0 if self.encoder is None else np.zeros(len(scores), bool)
        scores[nothing_known] = 1 / self.index.originals
        orders = best_first(scores)
        positions = np.take_along_axis(pairs.candidates, orders, axis=1)
        scores = np.take_along_axis(scores, orders, axis=1)
        low_signal = nothing_known | (scores[:, 0] < self.low_signal_below)
        return [
            Ranking(ranked, row, bool(low))
            for ranked, row, low in zip(positions, scores, low_signal, strict=True)
        ]


def best_first(scores: Float64s) -> NDArray[np.int64]:
    """Return the places of each row of scores, the greatest first, equal ones in their order."""
    return np.argsort(-scores, axis=1, kind="stable")


def pairs_of(index: Index, texts: Sequence[Terms], meanings: Float32s | None = None) -> Pairs:
    """Return the pairs of at least one text, with its vector if the index has some, and candidates."""
    parts = [
        _pairs(
            index,
            texts[start : start + LARGEST_CHUNK],
            None if meanings is None else meanings[start : start + LARGEST_CHUNK],
        )
        for start in range(0, len(texts), LARGEST_CHUNK)
    ]
    return Pairs(
        features=np.concatenate([part.features for part in parts], axis=1),
        candidates=np.concatenate([part.candidates for part in parts]),
        known=np.concatenate([part.known for part in parts]),
    )


def _pairs(index: Index, texts: Sequence[Terms], meanings: Float32s | None) -> Pairs:
    places = index.space.places(texts)
    known = np.asarray([place.known for place in places])
    candidates = candidates_of(index, places)
    features = pair_features(compare(index, places, candidates, meanings), known)
    return Pairs(features, candidates, known)
