"""Terms as numbers: what the texts of a million questions are kept, looked up and counted as.

A term is a 64-bit hash, whose two highest bits say its kind; a text is the ascending hashes of its
different terms and how often each occurs. Two terms of the same kind share a hash with a probability
of 2⁻⁵⁷ or less: one chance in thousands for ten million terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

from services.faq.array_file import spill, temporary_file
from services.faq.term_hashes import Hashes, gram_hashes, string_hashes

KIND_BITS: Final = np.uint64(62)
"""A hash shifted right by these is its kind: 0 for words, 1 for characters, 2 for code."""
KINDS: Final = 3
SPILLED_ENTRIES: Final = 1 << 25
"""Entries from which a table is kept in a file without a name instead of in memory."""

_MOST: Final = np.iinfo(np.uint16).max

Counts = NDArray[np.uint16]


@dataclass(frozen=True)
class Cut:
    """The terms of one text as strings, in order and with repetitions."""

    words: Sequence[str]
    """Stems of title and prose, each with each pair of neighbours."""
    characters: str
    """Words of title and prose, one space between them: the terms are each character but the spaces
    with its two neighbours, a space before the first and behind the last."""
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
    return joined([_table(texts)])


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
    return hashed_all([cut])[0]


def hashed_all(cuts: Sequence[Cut]) -> list[Terms]:
    """Hash and count the terms of some texts, which is less work than one by one.

    They share their arrays: who keeps one of them keeps all.
    """
    return list(hashed_table(cuts))


def hashed_table(cuts: Sequence[Cut]) -> TermTable:
    """Hash and count the terms of many texts."""
    texts = [*_hashes(cuts)]
    for hashes in texts:
        hashes.sort()
    return _counted(texts)


def _hashes(cuts: Sequence[Cut]) -> Iterator[Hashes]:
    """Yield the hashes of each text's terms, with repetitions."""
    words, characters, code = _kinds(cuts)
    parts = zip(
        _parted(words, [len(cut.words) for cut in cuts]),
        _parted(characters, [len(cut.characters) - cut.characters.count(" ") for cut in cuts]),
        _parted(code, [len(cut.code) for cut in cuts]),
        strict=True,
    )
    return map(np.concatenate, parts)


def _kinds(cuts: Sequence[Cut]) -> tuple[Hashes, Hashes, Hashes]:
    """Return the hashes of all texts' words, characters and code."""
    words = [term for cut in cuts for term in cut.words]
    strings = string_hashes([*words, *(term for cut in cuts for term in cut.code)])
    return (
        _of_kind(0, strings[: len(words)]),
        _of_kind(1, gram_hashes([cut.characters for cut in cuts])),
        _of_kind(2, strings[len(words) :]),
    )


def _of_kind(kind: int, hashes: Hashes) -> Hashes:
    return (hashes >> np.uint64(64 - int(KIND_BITS))) | (np.uint64(kind) << KIND_BITS)


def _parted(hashes: Hashes, sizes: Sequence[int]) -> list[Hashes]:
    return [hashes[start:end] for start, end in pairwise(accumulate(sizes, initial=0))]


def _counted(texts: Sequence[Hashes]) -> TermTable:
    """Return the different hashes of each text, and how often each is there.

    Args:
        texts: the hashes of each, ascending.
    """
    hashes = np.concatenate(texts) if texts else np.zeros(0, np.uint64)
    edges = [*accumulate(map(len, texts), initial=0)]
    is_first = np.empty(len(hashes) + 1, np.bool_)
    np.not_equal(hashes[1:], hashes[:-1], out=is_first[1:-1])
    # A text's first hash may be the same as the last one of the text before.
    is_first[edges] = True
    starts = is_first.nonzero()[0]
    counts = np.minimum(starts[1:] - starts[:-1], _MOST).astype(np.uint16)
    bounds = starts.searchsorted(edges)
    return TermTable(bounds[:-1], bounds[1:], hashes[starts[:-1]], counts)


def _table(texts: Sequence[Terms]) -> TermTable:
    lengths = np.asarray([len(text.hashes) for text in texts], np.int64)
    ends = np.cumsum(lengths)
    return TermTable(
        begins=ends - lengths,
        ends=ends,
        hashes=np.concatenate([np.zeros(0, np.uint64), *(text.hashes for text in texts)]),
        counts=np.concatenate([np.zeros(0, np.uint16), *(text.counts for text in texts)]),
    )


def _kept(parts: list[NDArray], size: int, dtype: np.dtype) -> NDArray:
    """Join the parts, which are given up one by one, in memory or, if they are large, in a file."""
    if size < SPILLED_ENTRIES:
        return np.concatenate([np.zeros(0, dtype), *parts])
    with temporary_file() as file:
        while parts:
            spill(parts.pop(0), file)
        return np.memmap(file, dtype, mode="r", shape=(size,))
