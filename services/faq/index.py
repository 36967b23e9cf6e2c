"""The originals' side of every pair, computed once: what a posted question is multiplied with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.faq.space import Float32s, Place, Space, Vector

SIMILAR: Final = (
    "word",
    "character",
    "code",
    "title",
    "answer_word",
    "answer_code",
    "family_word",
    "family_character",
)
"""Cosines with the original, its title, its answer, and its family: those and the duplicates."""

SHARED: Final = ("question_share", "code_share", "title_share", "bm25")
"""How much of the question's weight of words, and of code, the original has too; how much of the
title's weight the question has; BM25 divided by the sum of the question's idf, 0 to 2.2."""

NEAREST: Final = ("duplicate_best", "duplicate_mean")
"""Cosine of words with the most similar known duplicate, and the mean of the best three."""

SIGNALS: Final = (*SIMILAR, *SHARED, *NEAREST, "topic")
"""Names of the signals, in the order of the first axis of what `compare` returns; `topic` is the
margin of the original's linear classifier."""

Candidates = NDArray[np.int64]
"""Positions of originals, (texts, candidates), each row ascending."""


@dataclass(frozen=True)
class Topics:
    """One linear classifier per original: how typical a text's terms are of it, and of no other.

    `weights` is float32 (width of the space, originals), `bias` float32 (originals,).
    """

    weights: Float32s
    bias: Float32s


@dataclass(frozen=True)
class Index:
    """Everything that is known of the originals, in the form that a question is compared with.

    `similar` is (space.width, len(SIMILAR) · originals + duplicates) and `shared` is
    (space.shares_width, len(SHARED) · originals): a group of columns for each signal, and a column
    for each known duplicate, of which `owner_starts[i]:owner_starts[i + 1]` are original `i`'s.
    """

    space: Space
    topics: Topics
    similar: csr_array
    shared: csr_array
    owner_starts: NDArray[np.int64]

    @property
    def originals(self) -> int:
        """Number of originals."""
        return len(self.owner_starts) - 1


def candidates_of(index: Index, places: Sequence[Place]) -> Candidates:
    """Return the originals that each text is compared with: every one, where they are few."""
    return np.broadcast_to(np.arange(index.originals), (len(places), index.originals))


def compare(index: Index, places: Sequence[Place], candidates: Candidates) -> Float32s:
    """Compare a batch of texts, each with its candidates.

    The products are taken text by text, from the few rows of the index that its terms have: one
    sparse product for the whole batch takes longer, and its result is needed dense anyway.

    Returns:
        float32 (len(SIGNALS), texts, candidates).
    """
    originals, texts = index.originals, len(places)
    split = len(SIMILAR) * originals
    signals = np.empty((len(SIGNALS), texts, originals), np.float32)
    known = np.empty((texts, int(index.owner_starts[-1])), np.float32)
    first_shared, first_nearest = len(SIMILAR), len(SIMILAR) + len(SHARED)
    for number, place in enumerate(places):
        similar = _product(place.tfidf, index.similar)
        signals[:first_shared, number] = similar[:split].reshape(len(SIMILAR), originals)
        known[number] = similar[split:]
        shared = _product(place.shares, index.shared)
        signals[first_shared:first_nearest, number] = shared.reshape(len(SHARED), originals)
        weights = index.topics.weights[place.tfidf.columns]
        signals[-1, number] = place.tfidf.values @ weights + index.topics.bias
    signals[first_nearest:-1] = _nearest_duplicates(known, index.owner_starts)
    return np.take_along_axis(signals, candidates[np.newaxis], axis=2)


def _product(vector: Vector, matrix: csr_array) -> Float32s:
    """Return vector · matrix, dense."""
    return matrix[vector.columns].T @ vector.values


def _nearest_duplicates(similarities: Float32s, owner_starts: NDArray[np.int64]) -> Float32s:
    """Return the best, and the mean of the best three, similarities of each original's duplicates.

    One sort for all originals: twice the original's number is added to the similarities, all in
    [0, 1], of its duplicates, so that a sort keeps the groups apart. Where there are fewer than
    three, zeros take their places.
    """
    texts, originals = len(similarities), len(owner_starts) - 1
    sizes = np.diff(owner_starts)
    group = np.repeat(np.arange(originals) * 2.0, sizes)
    ranked = np.sort(np.clip(similarities, 0, 1) + group, axis=1) - group
    top = np.zeros((3, texts, originals), np.float32)
    for rank in range(3):
        has = np.flatnonzero(sizes > rank)
        top[rank][:, has] = ranked[:, owner_starts[has + 1] - 1 - rank]
    return np.stack((top[0], top.mean(axis=0, dtype=np.float32)))
