"""More originals and duplicates in an index, without fitting anything again.

The space, the second stage and its calibration stay. What is computed of each original alone is
computed for the new ones; a family that gets more duplicates is undone, added to, and done again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from services.faq.build_index import (
    Learnt,
    Part,
    average_family,
    build_part,
    index_of,
    pooled_duplicates,
    rows_of,
)
from services.faq.index import PRESENT, SIMILAR, Index, Rows
from services.faq.known import Known
from services.faq.meanings import Meanings
from services.faq.prototypes import chosen, with_prototypes
from services.faq.space import Float32s
from services.faq.sparse_rows import (
    heaviest,
    interleaved,
    only,
    present_terms,
    rows_of_kind,
    times,
    unit_length,
    without,
)

_FAMILY_WORD, _FAMILY_CHARACTER = SIMILAR.index("family_word"), SIMILAR.index("family_character")


@dataclass(frozen=True)
class Added:
    """The texts that are added.

    `new` has new originals with their duplicates, `more` no originals, but further duplicates of
    those of the index, which its owners are positions of. `order` says of each original of the new
    index which it is: one of the old ones, or, counted after those, a new one.
    """

    new: Known
    more: Known
    order: NDArray[np.int64]

    @cached_property
    def touched(self) -> NDArray[np.int64]:
        """Positions of the originals that get further duplicates, ascending."""
        return np.unique(self.more.owners)

    def pooled(self, further: csr_array) -> csr_array:
        """Add up the rows of each touched original's further duplicates."""
        return pooled_duplicates(self.owners, len(self.touched), further)

    @cached_property
    def owners(self) -> NDArray[np.int64]:
        """Which of `touched` each of the further duplicates belongs to."""
        return np.searchsorted(self.touched, self.more.owners)


def add_to_index(index: Index, added: Added) -> Index:
    """Return the index with what is added."""
    old, new = index.originals, len(added.new.originals)
    parts = [Part(index.rows, index.topics.bias)]
    if len(added.touched):
        parts.append(_extended(index, added))
    learnt = Learnt(index.topics, index.network) if index.network else None
    if new:
        part = build_part(index.space, index.scale, added.new.part(0, new), with_topics=not learnt)
        learnt = learnt and with_prototypes(index, learnt, added.new)
        parts.append(part)
    places = np.arange(old + new)
    places[old:] += len(added.touched)
    places[added.touched] = old + np.arange(len(added.touched))
    return index_of(
        index.space,
        learnt and chosen(learnt, added.order),
        index.scale,
        parts,
        places[added.order],
    )


def _extended(index: Index, added: Added) -> Part:
    """Compute the rows of the touched originals with their further duplicates."""
    rows = rows_of(index.rows, added.touched)
    more = index.space.rows(added.more.duplicates).weights
    words, characters, _ = index.space.spans
    sums = added.pooled(more)
    similar = [rows_of_kind(rows.similar, kind, len(SIMILAR)) for kind in range(len(SIMILAR))]
    lengths = np.empty_like(rows.family_lengths)
    most = index.scale.family_entries
    for place, (kind, span) in enumerate(((_FAMILY_WORD, words), (_FAMILY_CHARACTER, characters))):
        before = times(similar[kind], rows.family_lengths[:, place])
        family, lengths[:, place] = unit_length(csr_array(before + only(sums, span)))
        similar[kind] = heaviest(family, most)
    kinds = len(PRESENT) + 1
    present = [rows_of_kind(rows.present, kind, kinds) for kind in range(kinds)]
    bias = index.topics.bias[added.touched]
    if not index.topics.are_fitted:
        present[-1], bias = _more_topical(index, added, present[-1], more, bias)
    joined = csr_array(vstack([rows.duplicates, only(more, words)]))
    old = np.repeat(np.arange(len(added.touched)), np.diff(rows.owner_starts))
    owners = np.concatenate((old, added.owners))
    order = np.argsort(owners, kind="stable")
    starts = np.searchsorted(owners[order], np.arange(len(added.touched) + 1))
    return Part(
        rows=Rows(
            similar=interleaved(similar),
            squared=rows.squared,
            present=interleaved(present),
            duplicates=joined[order],
            owner_starts=starts,
            family_lengths=lengths,
            meanings=_more_meanings(rows, added, order, starts),
        ),
        topic_bias=bias,
    )


def _more_meanings(
    rows: Rows, added: Added, order: NDArray[np.int64], starts: NDArray[np.int64]
) -> Meanings | None:
    """Put the further duplicates' vectors to those of the touched originals; `order` as the rows'."""
    old, more = rows.meanings, added.more.meanings
    if old is None or more is None:
        return None
    duplicates = np.concatenate((old.duplicates, more.duplicates))[order]
    return Meanings.of(old.originals, old.answers, duplicates, starts)


def _more_topical(
    index: Index, added: Added, topic: csr_array, more: csr_array, bias: Float32s
) -> tuple[csr_array, Float32s]:
    """Undo the logarithms of the topic, count the further duplicates too, and do them again."""
    on_average, terms = average_family(index.space, index.scale)
    before = np.expm1(topic.data.astype(np.float64)) * on_average[topic.indices]
    counted = csr_array((before, topic.indices, topic.indptr), shape=topic.shape)
    counts = added.pooled(present_terms(without(more, index.space.spans[1])))
    family = csr_array(counted + counts)
    values = np.log1p(family.data / on_average[family.indices]).astype(np.float32)
    rows = csr_array((values, family.indices, family.indptr), shape=family.shape)
    size = terms * np.expm1(-bias.astype(np.float64)) + counts.sum(axis=1)
    return (
        heaviest(rows, index.scale.family_entries),
        np.asarray(np.log(terms / (terms + size)), np.float32),
    )
