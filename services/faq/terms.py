"""Terms as numbers: what the texts of a million questions are kept, looked up and counted as.

A term is a 64-bit hash, whose two highest bits say its kind; a text is the ascending hashes of its
different terms and how often each occurs. Two terms of the same kind share a hash with a probability
of 2⁻⁵⁷ or less: one chance in thousands for ten million terms.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

KIND_BITS: Final = np.uint64(62)
"""A hash shifted right by these is its kind: 0 for words, 1 for characters, 2 for code."""
KINDS: Final = 3
SPILLED_ENTRIES: Final = 1 << 25
"""Entries from which a table is kept in a file without a name instead of in memory."""

_PLACES: Final = 256
_MOST: Final = np.iinfo(np.uint16).max

Hashes = NDArray[np.uint64]
Counts = NDArray[np.uint16]


@dataclass(frozen=True)
class Cut:
    """The terms of one text as strings, in order and with repetitions."""

    words: Sequence[str]
    """Stems of title and prose, each with each pair of neighbours."""
    characters: Sequence[str]
    """Character n-grams of title and prose."""
    code: Sequence[str]
    """Identifiers and operators of the code, and of the prose where it looks like code."""


@dataclass(frozen=True, eq=False)
class Terms:
    """The different terms of one text, ascending, and how often each occurs."""

    hashes: Hashes
    counts: Counts
    sentence: str = ""
    """What a sentence encoder reads of the text, where it was kept."""

    @property
    def words(self) -> Hashes:
        """The different words."""
        return self.hashes[: np.searchsorted(self.hashes, np.uint64(1) << KIND_BITS)]


@dataclass(frozen=True, eq=False)
class TermTable(Sequence[Terms]):
    """Many texts: text `i` has the entries from `begins[i]` to `ends[i]` of the other two arrays.

    Choosing some of the texts copies none of their terms.
    """

    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    hashes: Hashes
    counts: Counts

    def __len__(self) -> int:
        return len(self.begins)

    @overload
    def __getitem__(self, index: int) -> Terms: ...
    @overload
    def __getitem__(self, index: slice) -> TermTable: ...
    def __getitem__(self, index: int | slice) -> Terms | TermTable:
        if isinstance(index, slice):
            return TermTable(self.begins[index], self.ends[index], self.hashes, self.counts)
        entries = slice(int(self.begins[index]), int(self.ends[index]))
        return Terms(self.hashes[entries], self.counts[entries])

    def take(self, positions: NDArray[np.int64]) -> TermTable:
        """Return some of the texts."""
        return TermTable(self.begins[positions], self.ends[positions], self.hashes, self.counts)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of different terms of each text."""
        return self.ends - self.begins

    def pieces(self, entries: int) -> Iterator[TermTable]:
        """Yield the texts in order, in tables of about so many entries."""
        bounds = np.searchsorted(
            np.cumsum(self.lengths), np.arange(entries, self.lengths.sum(), entries)
        )
        edges = np.unique(np.concatenate(([0], bounds, [len(self)])))
        for start, end in pairwise(edges):
            yield self[int(start) : int(end)]

    def entries(self) -> tuple[NDArray[np.int64], Hashes, Counts]:
        """Return, entry by entry, which text it is of, its hash and its count, copied."""
        lengths = self.lengths
        texts = np.repeat(np.arange(len(self)), lengths)
        first = np.cumsum(lengths) - lengths
        places = np.arange(len(texts)) + np.repeat(self.begins - first, lengths)
        return texts, self.hashes[places], self.counts[places]


def table_of(texts: Sequence[Terms]) -> TermTable:
    """Put texts into a table."""
    return joined([_table([text.hashes for text in texts], [text.counts for text in texts])])


def joined(tables: Iterable[TermTable]) -> TermTable:
    """Put tables, each with all entries of its arrays in order, one after the other."""
    parts = list(tables)
    sizes = [len(part.hashes) for part in parts]
    lengths = np.concatenate([np.zeros(0, np.int64), *(part.lengths for part in parts)])
    ends = np.cumsum(lengths)
    return TermTable(
        begins=ends - lengths,
        ends=ends,
        hashes=_kept([part.hashes for part in parts], sum(sizes), np.dtype(np.uint64)),
        counts=_kept([part.counts for part in parts], sum(sizes), np.dtype(np.uint16)),
    )


def hashed(cut: Cut) -> Terms:
    """Hash and count the terms of a text."""
    return hashed_table([cut])[0]


def hashed_table(cuts: Sequence[Cut]) -> TermTable:
    """Hash and count the terms of many texts."""
    by_kind = [kind for cut in cuts for kind in (cut.words, cut.characters, cut.code)]
    hashes = _hashes([term for kind in by_kind for term in kind])
    sizes = np.asarray([len(kind) for kind in by_kind], np.int64)
    kinds = np.tile(np.arange(KINDS, dtype=np.uint64) << KIND_BITS, len(cuts))
    hashes |= np.repeat(kinds, sizes)
    edges = np.cumsum(np.concatenate(([0], sizes.reshape(-1, KINDS).sum(axis=1)))).tolist()
    counted = [_counted(hashes[start:end]) for start, end in pairwise(edges)]
    return _table(
        [different for different, _ in counted],
        [counts for _, counts in counted],
    )


def _hashes(terms: Sequence[str]) -> Hashes:
    """Return 62-bit hashes: each byte of the term times a random number for its place, added up.

    Multilinear hashing (Dietzfelbinger 1996, "Universal hashing and k-wise independent random
    variables via integer arithmetic without primes"); the highest bits are the best.
    """
    if not terms:
        return np.zeros(0, np.uint64)
    letters = np.frombuffer(
        ("\0".join(terms) + "\0").encode("utf-8", "surrogatepass"), dtype=np.uint8
    )
    ends = np.flatnonzero(letters == 0) + 1
    if len(ends) != len(terms):
        return _hashes([term.replace("\0", " ") for term in terms])
    starts = np.concatenate(([0], ends[:-1]))
    places = (np.arange(len(letters)) - np.repeat(starts, ends - starts)) % _PLACES
    products = (letters.astype(np.uint64) + np.uint64(1)) * _RANDOM[places]
    return np.add.reduceat(products, starts) >> np.uint64(64 - int(KIND_BITS))


def _counted(hashes: Hashes) -> tuple[Hashes, Counts]:
    """Return the different hashes, ascending, and how often each is there; sorts its argument."""
    hashes.sort()
    is_first = np.ones(len(hashes) + 1, np.bool_)
    np.not_equal(hashes[1:], hashes[:-1], out=is_first[1:-1])
    starts = np.flatnonzero(is_first)
    counts = np.minimum(np.diff(starts), _MOST).astype(np.uint16)
    return hashes[starts[:-1]], counts


def _random(count: int) -> Hashes:
    """Return the first numbers of SplitMix64 (Steele, Lea and Flood 2014)."""
    steps = np.arange(1, count + 1, dtype=np.uint64)
    mixed = steps * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


_RANDOM: Final = _random(_PLACES)


def _table(hashes: Sequence[Hashes], counts: Sequence[Counts]) -> TermTable:
    lengths = np.asarray([len(each) for each in hashes], np.int64)
    ends = np.cumsum(lengths)
    return TermTable(
        begins=ends - lengths,
        ends=ends,
        hashes=np.concatenate([np.zeros(0, np.uint64), *hashes]),
        counts=np.concatenate([np.zeros(0, np.uint16), *counts]),
    )


def _kept(parts: list[NDArray], size: int, dtype: np.dtype) -> NDArray:
    """Join the parts, which are given up one by one, in memory or, if they are large, in a file."""
    if size < SPILLED_ENTRIES:
        return np.concatenate([np.zeros(0, dtype), *parts])
    with tempfile.TemporaryFile() as file:
        while parts:
            parts.pop(0).tofile(file)
        file.flush()
        return np.memmap(file, dtype, mode="r", shape=(size,))
