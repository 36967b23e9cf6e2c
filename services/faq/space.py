"""The vector space of the terms: which are known, how much each weighs, a text's place in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.faq.analysis import Terms

DAMPING: Final = 5
"""Unknown terms that every text is taken to have more than it has."""

Float32s = NDArray[np.float32]
Int32s = NDArray[np.int32]


@dataclass(frozen=True)
class Vector:
    """A sparse vector: int32 columns, ascending within each kind of terms, and float32 values."""

    columns: Int32s
    values: Float32s


@dataclass(frozen=True)
class Counted:
    """How often each known term occurs in a text, and how many terms of it are not known."""

    vector: Vector
    unknown: int


@dataclass(frozen=True)
class Block:
    """One kind of terms: their columns, and float32 inverse document frequencies by column."""

    columns: Mapping[str, int]
    idf: Float32s

    @property
    def width(self) -> int:
        """Number of known terms."""
        return len(self.idf)

    def count(self, terms: Iterable[str]) -> Counted:
        """Return how often each known term occurs, and how many others there are."""
        counts: Counter[int | None] = Counter(map(self.columns.get, terms))
        unknown = counts.pop(None, 0)
        columns = np.fromiter(counts.keys(), np.int32, len(counts))
        order = np.argsort(columns)
        values = np.fromiter(counts.values(), np.float32, len(counts))
        return Counted(Vector(columns[order], values[order]), unknown)

    def tfidf(self, terms: Iterable[str]) -> Vector:
        """Return the weights `(1 + ln tf) · idf`, divided by the length of the whole text's vector.

        As scikit-learn's `TfidfVectorizer(sublinear_tf=True)`, but for that length: each term that is
        not known adds to it as the rarest known term would, and so do `DAMPING` more, so that a text
        of which little is known, or of one word, is not very similar to anything.
        """
        counted = self.count(terms)
        vector = counted.vector
        weights = (np.log(vector.values) + np.float32(1)) * self.idf[vector.columns]
        unknown = np.float32(counted.unknown + DAMPING) * self._rarest**2
        return Vector(vector.columns, weights / np.sqrt(np.dot(weights, weights) + unknown))

    @cached_property
    def _rarest(self) -> np.float32:
        return self.idf.max(initial=1)


@dataclass(frozen=True)
class Place:
    """One text in the space.

    `tfidf` has the vectors of words, characters and code side by side. `shares` has, side by
    side, the squares of the vectors of words and of code, 1 for each word that is there, and
    for each of them 1 / (sum of the idf of the words that are there).
    """

    tfidf: Vector
    shares: Vector
    known: int
    """Number of different known words and pieces of code."""


@dataclass(frozen=True)
class Space:
    """The three kinds of terms side by side: words, then characters, then code."""

    words: Block
    characters: Block
    code: Block

    @property
    def width(self) -> int:
        """Number of columns of `Place.tfidf`."""
        return self.words.width + self.characters.width + self.code.width

    @property
    def shares_width(self) -> int:
        """Number of columns of `Place.shares`."""
        return 3 * self.words.width + self.code.width

    @property
    def spans(self) -> tuple[slice, slice, slice]:
        """Columns of words, of characters and of code."""
        code = self.words.width + self.characters.width
        return slice(0, self.words.width), slice(self.words.width, code), slice(code, self.width)

    def place(self, text: Terms) -> Place:
        """Return a text's place; terms that are not known have no influence."""
        words, code = self.words.tfidf(text.words), self.code.tfidf(text.code)
        return Place(
            tfidf=self._side_by_side(words, self.characters.tfidf(text.characters), code),
            shares=self._shares(words, code),
            known=len(words.columns) + len(code.columns),
        )

    def matrix(self, texts: Sequence[Terms]) -> csr_array:
        """Return `Place.tfidf` of many texts as float32 (texts, width)."""
        vectors = [self.place(text).tfidf for text in texts]
        ends = np.cumsum([0, *(len(vector.columns) for vector in vectors)], dtype=np.int32)
        columns = np.concatenate([vector.columns for vector in vectors])
        values = np.concatenate([vector.values for vector in vectors])
        return csr_array((values, columns, ends), shape=(len(texts), self.width))

    def _side_by_side(self, words: Vector, characters: Vector, code: Vector) -> Vector:
        _, second, third = self.spans
        return Vector(
            np.concatenate(
                (words.columns, characters.columns + second.start, code.columns + third.start),
                dtype=np.int32,
            ),
            np.concatenate((words.values, characters.values, code.values)),
        )

    def _shares(self, words: Vector, code: Vector) -> Vector:
        second = self.words.width
        third = second + self.code.width
        fourth = third + self.words.width
        idf_sum = self.words.idf[words.columns].sum()
        present = np.ones(len(words.columns), np.float32)
        return Vector(
            np.concatenate(
                (
                    words.columns,
                    code.columns + second,
                    words.columns + third,
                    words.columns + fourth,
                ),
                dtype=np.int32,
            ),
            np.concatenate(
                (words.values**2, code.values**2, present, present / max(idf_sum, np.float32(1)))
            ),
        )
