"""Building the originals' side of every pair from the known texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import block_diag, coo_array, csr_array, vstack

from services.faq.analysis import Terms
from services.faq.index import SHARED, SIMILAR, Index, Topics
from services.faq.space import Block, Space

_BM25_SATURATION: Final = 1.2
_BM25_LENGTH_SHARE: Final = 0.75


@dataclass(frozen=True)
class Known:
    """The texts that an index is made of.

    `answers[i]` answers `originals[i]`; `duplicates[j]`, whose title alone is `titles[j]`, repeats
    `originals[owners[j]]`. Titles are not part of the index: the second stage learns from them.
    """

    originals: Sequence[Terms]
    answers: Sequence[Terms]
    duplicates: Sequence[Terms]
    titles: Sequence[Terms]
    owners: NDArray[np.int64]

    def with_only(self, duplicates: NDArray[np.int64]) -> Known:
        """Return the same with only some of the duplicates, given by position."""
        return Known(
            originals=self.originals,
            answers=self.answers,
            duplicates=[self.duplicates[number] for number in duplicates],
            titles=[self.titles[number] for number in duplicates],
            owners=self.owners[duplicates],
        )


@dataclass(frozen=True)
class KnownRows:
    """The known texts in the space, float32 (texts, space.width), in the order of `Known`."""

    originals: csr_array
    answers: csr_array
    duplicates: csr_array


def known_rows(space: Space, known: Known) -> KnownRows:
    """Compute the places of the known texts."""
    return KnownRows(
        originals=space.matrix(known.originals),
        answers=space.matrix(known.answers),
        duplicates=space.matrix(known.duplicates),
    )


def build_index(space: Space, topics: Topics, known: Known, rows: KnownRows) -> Index:
    """Compute the originals' side."""
    order = np.argsort(known.owners, kind="stable")
    titles = space.matrix([_title_only(text) for text in known.originals])
    similar = _similar(space, rows, titles, known.owners)
    duplicates = _only(rows.duplicates[order], space.spans[0])
    return Index(
        space=space,
        topics=topics,
        similar=csr_array(vstack([*similar, duplicates]).T, dtype=np.float32),
        shared=_shared(space, known.originals, rows.originals, titles),
        owner_starts=np.searchsorted(known.owners[order], np.arange(len(known.originals) + 1)),
    )


def _similar(
    space: Space, rows: KnownRows, titles: csr_array, owners: NDArray[np.int64]
) -> list[csr_array]:
    words, characters, code = space.spans
    originals, answers = rows.originals, rows.answers
    is_owner = (np.ones(len(owners), np.float32), (owners, np.arange(len(owners))))
    shape = (len(originals.indptr) - 1, len(owners))
    sums = coo_array(is_owner, shape=shape).tocsr() @ rows.duplicates
    family = csr_array(originals + answers + sums)
    rows_by_signal = {
        "word": _only(originals, words),
        "character": _only(originals, characters),
        "code": _only(originals, code),
        "title": titles,
        "answer_word": _only(answers, words),
        "answer_code": _only(answers, code),
        "family_word": _unit_length(_only(family, words)),
        "family_character": _unit_length(_only(family, characters)),
    }
    return [rows_by_signal[name] for name in SIMILAR]


def _shared(
    space: Space, originals: Sequence[Terms], rows: csr_array, titles: csr_array
) -> csr_array:
    words, _, code = space.spans
    columns_by_signal = {
        "question_share": _present(rows[:, words]).T,
        "code_share": _present(rows[:, code]).T,
        "title_share": titles[:, words].power(2).T,
        "bm25": _bm25(space.words, originals).T,
    }
    return csr_array(block_diag([columns_by_signal[name] for name in SHARED]), dtype=np.float32)


def _title_only(text: Terms) -> Terms:
    return Terms(words=text.title, title=text.title, characters=(), code=())


def _only(rows: csr_array, columns: slice) -> csr_array:
    """Return the rows with every value outside of the columns set to zero."""
    values = rows.tocoo()
    inside = (values.col >= columns.start) & (values.col < columns.stop)
    place = (values.row[inside], values.col[inside])
    return coo_array((values.data[inside], place), shape=rows.shape).tocsr()


def _present(rows: csr_array) -> csr_array:
    return csr_array((np.ones_like(rows.data), rows.indices, rows.indptr), shape=rows.shape)


def _unit_length(rows: csr_array) -> csr_array:
    lengths = np.sqrt(rows.power(2).sum(axis=1))
    inverse = 1 / np.where(lengths > 0, lengths, 1)
    return csr_array(rows.multiply(inverse[:, np.newaxis]), dtype=np.float32)


def _bm25(block: Block, texts: Sequence[Terms]) -> csr_array:
    """Return BM25's weight of each term in each text, float32 (texts, terms).

    Robertson and Zaragoza (2009), "The Probabilistic Relevance Framework: BM25 and Beyond", section
    3.4, with idf as scikit-learn smooths it.
    """
    counted = [block.count(text.words).vector for text in texts]
    sizes = np.asarray([counts.values.sum() for counts in counted], np.float32)
    relative_sizes = sizes / max(float(sizes.mean()), 1)
    lengths = 1 - _BM25_LENGTH_SHARE + _BM25_LENGTH_SHARE * relative_sizes
    weights = [
        block.idf[counts.columns]
        * (counts.values * (_BM25_SATURATION + 1) / (counts.values + _BM25_SATURATION * length))
        for counts, length in zip(counted, lengths, strict=True)
    ]
    ends = np.cumsum([0, *(len(counts.columns) for counts in counted)])
    columns = np.concatenate([counts.columns for counts in counted])
    return csr_array((np.concatenate(weights), columns, ends), shape=(len(texts), block.width))
