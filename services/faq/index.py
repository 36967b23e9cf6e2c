"""The originals' side of every pair, computed once: what a posted question is compared with."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from services.faq.meanings import Meanings, nearness
from services.faq.network import Network, of_equal_length
from services.faq.retrieval import CANDIDATES, Candidates, Postings, best_candidates
from services.faq.space import Float32s, Place, Space
from services.faq.sparse_rows import chosen_rows

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

SQUARED: Final = ("question_share", "code_share")
"""How much of the question's weight of words, and of code, the original has too."""

PRESENT: Final = ("title_share", "bm25")
"""How much of the title's weight the question has; BM25 divided by the sum of the question's idf, 0
to 2.2."""

NEAREST: Final = ("duplicate_best", "duplicate_mean", "view_best")
"""Cosine of words with the most similar known duplicate, the mean of the best three, and the cosine
with the most similar of all views: the original and its known duplicates. What is learnt of a view
holds for each of them, also where the second stage has seen only originals without duplicates."""

LEARNT: Final = ("topic", "network")

COUNTS: Final = ("duplicates", "without_duplicates")
"""ln(1 + number of known duplicates), and 1 where there is none: without, other signals are low."""

MEANT: Final = (
    "meaning",
    "meaning_answer",
    "meaning_duplicate_best",
    "meaning_duplicate_mean",
    "meaning_view_best",
    "meaning_family",
)
"""Where the model has a sentence encoder: the cosines of the question's vector with those of the original,
its answer, its duplicates and its family, as above."""

SIGNALS: Final = (*SIMILAR, *SQUARED, *PRESENT, *NEAREST, *COUNTS, *LEARNT)
"""Names of the signals, in the order of the first axis of what `compare` returns; `topic` says how
typical the text's terms are of the original's family, and of no other: see `Topics`; `network` says
so of their combinations, where the originals are few, and is 0 where they are not."""


@dataclass(frozen=True)
class Topics:
    """One linear classifier per original.

    Where the originals are few, those are fitted (support vectors): `weights` is float32 (width of
    the space, originals), and a text's signal is its margin. Where they are many, `weights` is
    (0, 0): the weights are the last kind of `Rows.present`, ln(1 + how often the term is in the
    family / how often it is in one on average), and the signal is the mean of those of the known
    terms. `bias`, float32 (originals,), is added to either.
    """

    weights: Float32s
    bias: Float32s

    @property
    def are_fitted(self) -> bool:
        """Whether they are the few originals' classifiers."""
        return self.weights.size > 0


@dataclass(frozen=True)
class Rows:
    """What is known of each original, as sparse rows over the columns of the space.

    An original's rows lie together, one for each name of `SIMILAR`, `SQUARED` and, with one more for
    the topic, `PRESENT`. `duplicates` has a row for each known duplicate; those from
    `owner_starts[i]` to `owner_starts[i + 1]` are original `i`'s. A row is multiplied with the text's
    weights, with their squares, or with 1 for each term of the text. `family_lengths`, float32
    (originals, 2), are those that the families' rows of words and characters had before they were
    divided by them.
    """

    similar: csr_array
    squared: csr_array
    present: csr_array
    duplicates: csr_array
    owner_starts: NDArray[np.int64]
    family_lengths: Float32s
    meanings: Meanings | None = None
    """Where the model has a sentence encoder."""


@dataclass(frozen=True)
class Scale:
    """What an original's rows depend on besides its texts; originals that are added keep it."""

    average_words: float
    """Known words of an original on average."""
    families: int
    """Number of originals that the space was made for."""
    family_entries: int
    """Entries that a family's row keeps of each kind, the heaviest."""


@dataclass(frozen=True)
class Index:
    """Everything that is known of the originals, in the form that a question is compared with."""

    space: Space
    topics: Topics
    network: Network | None
    """Fitted where the topics are."""
    rows: Rows
    postings: Postings
    scale: Scale

    @property
    def originals(self) -> int:
        """Number of originals."""
        return len(self.rows.owner_starts) - 1

    @cached_property
    def by_term(self) -> csr_array:
        """The rows of `SIMILAR`, then those of the duplicates, the other way round: term by term.

        Where the originals are few and all are compared, only the entries of the question's terms
        are looked at: about a sixth of all.
        """
        rows = vstack((self.rows.similar, self.rows.duplicates), format="csr")
        return csr_array(csr_array(rows).T.tocsr())


def candidates_of(index: Index, places: Sequence[Place]) -> Candidates:
    """Return the originals that each text is compared with: all of them, where they are few."""
    words, _, code = index.space.spans
    return np.stack([best_candidates(index.postings, place, words, code) for place in places])


def compare(
    index: Index,
    places: Sequence[Place],
    candidates: Candidates,
    meanings: Float32s | None = None,
) -> Float32s:
    """Compare a batch of texts, each with its candidates.

    Text by text: the candidates' rows, a small part of all, are multiplied with the text's vector.

    Args:
        index: what is known.
        places: of the texts.
        candidates: of the texts.
        meanings: the texts' vectors, (texts, dimensions), if the index has those of the originals.

    Returns:
        float32 (len(SIGNALS), texts, candidates), and where there are meanings, `MEANT` after those.

    Raises:
        ValueError: only one side, the texts or the index, has meanings.
    """
    known = index.rows.meanings
    if (known is None) != (meanings is None):
        raise ValueError("vectors are needed of the texts and of the index, or of neither")
    kinds = len(SIGNALS) + (len(MEANT) if known else 0)
    signals = np.empty((kinds, *candidates.shape), np.float32)
    for number, (place, chosen) in enumerate(zip(places, candidates, strict=True)):
        signals[: len(SIGNALS), number] = _compare(index, place, chosen)
        if known is not None and meanings is not None:
            signals[len(SIGNALS) :, number] = _meant(index.rows, known, meanings[number], chosen)
    return signals


def _compare(index: Index, place: Place, chosen: NDArray[np.int64]) -> Float32s:
    rows, weights = index.rows, place.weights
    with _zeros(index.space.width) as vector:
        columns = place.columns
        vector[columns] = weights
        similar, duplicates = _cosines(index, place, chosen, vector)
        vector[columns] = weights * weights
        squared = _product(rows.squared, len(SQUARED), chosen, vector)
        vector[columns] = 1
        present = _product(rows.present, len(PRESENT) + 1, chosen, vector)
        vector[columns] = 0
    present[PRESENT.index("bm25")] /= max(place.idf_of_words, 1)
    sizes = rows.owner_starts[chosen + 1] - rows.owner_starts[chosen]
    nearest = _views(duplicates, sizes, similar[SIMILAR.index("word")])
    learnt = np.stack(_learnt(index, place, chosen, present[-1]))
    counts = np.stack((np.log1p(sizes), sizes == 0)).astype(np.float32)
    return np.concatenate((similar, squared, present[:-1], nearest, counts, learnt))


def _cosines(
    index: Index, place: Place, chosen: NDArray[np.int64], vector: Float32s
) -> tuple[Float32s, Float32s]:
    """Return the signals of `SIMILAR`, (kinds, chosen), and the cosines with all their duplicates."""
    rows = index.rows
    if len(chosen) == index.originals <= CANDIDATES:
        cosines = index.by_term[place.columns].T @ place.weights
        kinds = len(SIMILAR) * len(chosen)
        return cosines[:kinds].reshape(-1, len(SIMILAR)).T, cosines[kinds:]
    similar = _product(rows.similar, len(SIMILAR), chosen, vector)
    _, places = _duplicates_of(rows, chosen)
    is_part = len(places) < len(rows.duplicates.indptr) - 1
    return similar, (rows.duplicates[places] if is_part else rows.duplicates) @ vector


def _learnt(
    index: Index, place: Place, chosen: NDArray[np.int64], sums: Float32s
) -> tuple[Float32s, Float32s]:
    """Return the signals of `LEARNT` of one text with the chosen originals."""
    topics, network = index.topics, index.network
    if not topics.are_fitted or network is None:
        signal = sums / max(place.known, 1) + topics.bias[chosen]
        return np.asarray(signal, np.float32), np.zeros(len(chosen), np.float32)
    weights = of_equal_length(place.weights)
    margins = weights @ topics.weights[place.columns] + topics.bias
    return margins[chosen], network.margins(place.columns, weights)[chosen]


def _product(
    matrix: csr_array, kinds: int, chosen: NDArray[np.int64], vector: Float32s
) -> Float32s:
    """Return the products of the chosen originals' rows with the vector, (kinds, chosen)."""
    if len(chosen) * kinds < len(matrix.indptr) - 1:
        matrix = chosen_rows(matrix, chosen, kinds)
    return (matrix @ vector).reshape(len(chosen), kinds).T


def _meant(rows: Rows, known: Meanings, meaning: Float32s, chosen: NDArray[np.int64]) -> Float32s:
    """Return the signals of `MEANT` of the chosen originals."""
    sizes, places = _duplicates_of(rows, chosen)
    original = nearness(known.originals, chosen, meaning)
    answer = nearness(known.answers, chosen, meaning)
    views = _views(nearness(known.duplicates, places, meaning), sizes, original)
    family = nearness(known.families, chosen, meaning)
    return np.stack((original, answer, *views, family))


def _duplicates_of(
    rows: Rows, chosen: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many duplicates each of the chosen originals has, and the places of all of them."""
    starts, ends = rows.owner_starts[chosen], rows.owner_starts[chosen + 1]
    sizes = ends - starts
    last = np.cumsum(sizes)
    return sizes, np.arange(last[-1]) + np.repeat(starts - (last - sizes), sizes)


def _views(similar: Float32s, sizes: NDArray[np.int64], original: Float32s) -> Float32s:
    """Return the best, the mean of the best three, and the best of those and the original.

    One sort for all: twice the original's number is added to the similarities, all in [0, 1], of
    its duplicates, so that a sort keeps the groups apart. Where there are fewer than three, zeros
    take their places.

    Args:
        similar: of the duplicates, those of each original together.
        sizes: how many each original has.
        original: the similarity of each original itself.
    """
    last = np.cumsum(sizes)
    group = np.repeat(np.arange(len(sizes)) * 2.0, sizes)
    ranked = np.sort(np.clip(similar, 0, 1) + group) - group
    top = np.zeros((3, len(sizes)), np.float32)
    for rank in range(3):
        has = np.flatnonzero(sizes > rank)
        top[rank, has] = ranked[last[has] - 1 - rank]
    return np.stack((top[0], top.mean(axis=0, dtype=np.float32), np.maximum(top[0], original)))


class _Dense(threading.local):
    """A vector of zeros for each thread, so that not every question allocates a wide one."""

    vector: Float32s = np.zeros(0, np.float32)


_DENSE: Final = _Dense()


@contextmanager
def _zeros(width: int) -> Iterator[Float32s]:
    """Lend the thread's vector of zeros, which must be zeros again when it is given back."""
    if len(_DENSE.vector) != width:
        _DENSE.vector = np.zeros(width, np.float32)
    try:
        yield _DENSE.vector
    except BaseException:
        _DENSE.vector = np.zeros(0, np.float32)
        raise
