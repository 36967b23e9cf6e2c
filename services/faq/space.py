"""The vector space of the terms: which are known, how much each weighs, a text's place in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.faq.terms import KIND_BITS, KINDS, Counts, Hashes, Terms, TermTable

DAMPING: Final = 5
"""Unknown terms that every text is taken to have more than it has."""

Float32s = NDArray[np.float32]
Int32s = NDArray[np.int32]


@dataclass(frozen=True)
class Place:
    """One text in the space: the columns of its known terms, ascending, and what they weigh."""

    columns: Int32s
    weights: Float32s
    """`(1 + ln tf) · idf`, divided, for each kind of terms, by the length of the whole text's vector.

    As scikit-learn's `TfidfVectorizer(sublinear_tf=True)`, but for that length: each term that is not
    known adds to it as the rarest known term would, and so do `DAMPING` more, so that a text of which
    little is known, or of one word, is not very similar to anything.
    """
    idf_of_words: float
    """Sum of the inverse document frequencies of its different known words."""
    known: int
    """Number of different known words and pieces of code."""


@dataclass(frozen=True)
class _Entries:
    """The known terms of some texts, entry by entry."""

    texts: NDArray[np.int64]
    columns: Int32s
    counts: Float32s
    weights: Float32s


@dataclass(frozen=True, eq=False)
class Space:
    """The known terms, ascending by hash, so words come first, then characters, then code.

    There is at least one. `terms` is (width,); `idf` has their inverse document frequencies in
    `texts` texts, as scikit-learn smooths them.
    """

    terms: Hashes
    idf: Float32s
    texts: int

    @property
    def width(self) -> int:
        """Number of known terms."""
        return len(self.terms)

    @cached_property
    def spans(self) -> tuple[slice, slice, slice]:
        """Columns of words, of characters and of code."""
        first = np.searchsorted(self.terms, np.arange(1, KINDS, dtype=np.uint64) << KIND_BITS)
        code = int(first[1])
        return slice(0, int(first[0])), slice(int(first[0]), code), slice(code, self.width)

    @cached_property
    def document_frequencies(self) -> Float32s:
        """In how many of the texts each term is."""
        return ((1 + self.texts) / np.exp(self.idf.astype(np.float64) - 1) - 1).astype(np.float32)

    def place(self, text: Terms) -> Place:
        """Return a text's place; terms that are not known have no influence but on its length."""
        return self.places([text])[0]

    def places(self, texts: Sequence[Terms]) -> list[Place]:
        """Return the places of some texts, found together; the others change nothing for a text."""
        hashes = np.concatenate([text.hashes for text in texts])
        counts = np.concatenate([text.counts for text in texts])
        lengths = [len(text.hashes) for text in texts]
        entries = self._entries(
            np.repeat(np.arange(len(texts)), lengths), hashes, counts, len(texts)
        )
        ends = np.searchsorted(entries.texts, np.arange(1, len(texts) + 1)).tolist()
        return [
            self._placed(entries.columns[start:end], entries.weights[start:end])
            for start, end in pairwise((0, *ends))
        ]

    def _placed(self, columns: Int32s, weights: Float32s) -> Place:
        words, _, code = self.spans
        word_end, code_start = np.searchsorted(columns, (words.stop, code.start)).tolist()
        return Place(
            columns=columns,
            weights=weights,
            idf_of_words=float(self.idf[columns[:word_end]].sum()),
            known=word_end + len(columns) - code_start,
        )

    def rows(self, texts: TermTable) -> TextRows:
        """Return the places of many texts."""
        entries = self._entries(*texts.entries(), len(texts))
        ends = np.cumsum(np.bincount(entries.texts, minlength=len(texts)), dtype=np.int32)
        starts = np.concatenate((np.zeros(1, np.int32), ends))
        shape = (len(texts), self.width)
        return TextRows(
            weights=csr_array((entries.weights, entries.columns, starts), shape=shape),
            counts=csr_array((entries.counts, entries.columns, starts), shape=shape),
        )

    def lookup(self, hashes: Hashes) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the column of each term, and whether it is known; if not, the column means nothing."""
        columns = np.searchsorted(self.terms, hashes)
        return columns, np.take(self.terms, columns, mode="clip") == hashes

    def _entries(
        self, texts: NDArray[np.int64], hashes: Hashes, counts: Counts, number: int
    ) -> _Entries:
        columns, known = self.lookup(hashes)
        group = texts * KINDS + (hashes >> KIND_BITS).astype(np.int64)
        unknown = np.bincount(group[~known], counts[~known], number * KINDS)
        group, columns = group[known], columns[known].astype(np.int32)
        occurrences = counts[known].astype(np.float32)
        weights = (np.log(occurrences) + np.float32(1)) * self.idf[columns]
        squares = np.bincount(group, weights.astype(np.float64) ** 2, number * KINDS)
        unknown = (unknown + DAMPING) * np.tile(self._rarest**2, number)
        lengths = np.sqrt(squares + unknown)
        return _Entries(
            texts=group // KINDS,
            columns=columns,
            counts=occurrences,
            weights=(weights / lengths[group]).astype(np.float32),
        )

    @cached_property
    def _rarest(self) -> NDArray[np.float64]:
        """Inverse document frequency of the rarest term of each kind."""
        return np.asarray([self.idf[span].max(initial=1) for span in self.spans], np.float64)


@dataclass(frozen=True)
class TextRows:
    """Texts in the space, float32 (texts, width): `Place.weights`, and how often each term occurs."""

    weights: csr_array
    counts: csr_array
