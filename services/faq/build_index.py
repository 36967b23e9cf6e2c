"""Building the originals' side of every pair from the known texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from services.faq.growing import GrowingRows
from services.faq.index import PRESENT, SIMILAR, SQUARED, Index, Rows, Scale, Topics
from services.faq.known import Known, Progress
from services.faq.meanings import Meanings, joined
from services.faq.network import Network
from services.faq.processes import in_processes
from services.faq.retrieval import postings_of
from services.faq.space import Float32s, Space, TextRows
from services.faq.sparse_rows import (
    chosen_rows,
    heaviest,
    interleaved,
    only,
    present_terms,
    rows_of_kind,
    unit_length,
    without,
)
from services.faq.terms import KIND_BITS, TermTable

FAMILY_ENTRIES: Final = 40_000_000
"""Entries of all families' rows of one kind, which bounds the memory of many originals."""
FEWEST_FAMILY_ENTRIES: Final = 256
"""Entries, the heaviest, that a family's row keeps in any case."""
TEXTS_AT_ONCE: Final = 16_384

_ENTRIES_AT_ONCE: Final = 1 << 23
_BM25_SATURATION: Final = 1.2
_BM25_LENGTH_SHARE: Final = 0.75


@dataclass(frozen=True)
class Learnt:
    """What is fitted of few originals."""

    topics: Topics
    network: Network


@dataclass(frozen=True)
class Part:
    """The rows of some originals, and the bias of their topics where those are not fitted."""

    rows: Rows
    topic_bias: Float32s


def build_index(
    space: Space, learnt: Learnt | None, known: Known, progress: Progress | None = None
) -> Index:
    """Compute the originals' side, with all processors where they are many.

    Args:
        space: the known terms.
        learnt: the classifiers of few originals; None for many, whose topics need no fitting.
        known: the texts.
        progress: shows the progress.
    """
    scale = scale_of(space, known)
    edges = _edges(known)

    def piece(number: int) -> Part:
        some = known.part(edges[number], edges[number + 1])
        return build_part(space, scale, some, with_topics=learnt is None)

    parts: Iterable[Part] = in_processes(piece, len(edges) - 1)
    return index_of(space, learnt, scale, progress(parts, "indexing") if progress else parts)


def index_of(
    space: Space,
    learnt: Learnt | None,
    scale: Scale,
    parts: Iterable[Part],
    order: NDArray[np.int64] | None = None,
) -> Index:
    """Put the parts together, each as it comes, so that only what is put together takes memory.

    Args:
        space: the known terms.
        learnt: the classifiers of few originals.
        scale: what the parts were built with.
        parts: originals, one part's after the other's.
        order: which of them the originals of the index are; all, as they are, if left out.
    """
    names = ("similar", "squared", "present", "duplicates")
    growing = {name: GrowingRows(space.width) for name in names}
    biases: list[Float32s] = []
    lengths: list[Float32s] = []
    edges = [np.zeros(1, np.int64)]
    vectors: list[Meanings] = []
    for part in parts:
        for name, rows_so_far in growing.items():
            rows_so_far.add(getattr(part.rows, name))
        biases.append(part.topic_bias)
        lengths.append(part.rows.family_lengths)
        edges.append(part.rows.owner_starts[1:] + edges[-1][-1])
        vectors += [part.rows.meanings] if part.rows.meanings else []
    bias = np.concatenate(biases)
    rows = Rows(
        *(growing[name].whole() for name in names),
        owner_starts=np.concatenate(edges),
        family_lengths=np.concatenate(lengths),
        meanings=joined(vectors) if vectors else None,
    )
    if order is not None:
        rows, bias = rows_of(rows, order), bias[order]
    family_words = rows_of_kind(rows.similar, SIMILAR.index("family_word"), len(SIMILAR))
    return Index(
        space=space,
        topics=learnt.topics if learnt else Topics(np.zeros((0, 0), np.float32), bias),
        network=learnt.network if learnt else None,
        rows=rows,
        postings=postings_of(family_words),
        scale=scale,
    )


def rows_of(rows: Rows, chosen: NDArray[np.int64]) -> Rows:
    """Return the rows of some originals."""
    starts, ends = rows.owner_starts[chosen], rows.owner_starts[chosen + 1]
    sizes = ends - starts
    edges = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
    duplicates = np.arange(edges[-1]) + np.repeat(starts - edges[:-1], sizes)
    return Rows(
        similar=chosen_rows(rows.similar, chosen, len(SIMILAR)),
        squared=chosen_rows(rows.squared, chosen, len(SQUARED)),
        present=chosen_rows(rows.present, chosen, len(PRESENT) + 1),
        duplicates=rows.duplicates[duplicates],
        owner_starts=edges,
        family_lengths=rows.family_lengths[chosen],
        meanings=rows.meanings and rows.meanings.chosen(chosen, duplicates),
    )


def scale_of(space: Space, known: Known) -> Scale:
    """Measure the texts."""
    originals = max(len(known.originals), 1)
    total = sum(_known_words(space, texts) for texts in known.originals.pieces(_ENTRIES_AT_ONCE))
    return Scale(
        average_words=max(total / originals, 1),
        families=originals,
        family_entries=max(FAMILY_ENTRIES // originals, FEWEST_FAMILY_ENTRIES),
    )


def _known_words(space: Space, texts: TermTable) -> int:
    """Return how many known words the texts have, each as often as it is there."""
    _, hashes, counts = texts.entries()
    is_word = hashes >> KIND_BITS == 0
    _, is_known = space.lookup(hashes[is_word])
    return int(counts[is_word][is_known].sum(dtype=np.int64))


def build_part(space: Space, scale: Scale, known: Known, *, with_topics: bool) -> Part:
    """Compute the rows of a few originals, whose duplicates are given owner by owner."""
    words, characters, code = space.spans
    originals = space.rows(known.originals)
    titles = space.rows(known.original_titles).weights
    answers = space.rows(known.answers)
    duplicates = space.rows(known.duplicates)
    family = pooled(known, originals.weights, answers.weights, duplicates.weights)
    family_words, word_lengths = unit_length(only(family, words))
    family_characters, character_lengths = unit_length(only(family, characters))
    most = scale.family_entries
    similar = {
        "word": only(originals.weights, words),
        "character": only(originals.weights, characters),
        "code": only(originals.weights, code),
        "title": titles,
        "answer_word": only(answers.weights, words),
        "answer_code": only(answers.weights, code),
        "family_word": heaviest(family_words, most),
        "family_character": heaviest(family_characters, most),
    }
    squared = {
        "question_share": present_terms(only(originals.weights, words)),
        "code_share": present_terms(only(originals.weights, code)),
    }
    present = {
        "title_share": titles.power(2),
        "bm25": _bm25(space, only(originals.counts, words), scale.average_words),
    }
    topic, bias = _topic(space, scale, known, (originals, answers, duplicates))
    if not with_topics:
        topic = csr_array(topic.shape, dtype=np.float32)
    return Part(
        rows=Rows(
            similar=interleaved([similar[name] for name in SIMILAR]),
            squared=interleaved([squared[name] for name in SQUARED]),
            present=interleaved([*(present[name] for name in PRESENT), topic]),
            duplicates=only(duplicates.weights, words),
            owner_starts=known.owner_starts,
            family_lengths=np.stack((word_lengths, character_lengths), axis=1),
            meanings=_meanings(known),
        ),
        topic_bias=bias,
    )


def _meanings(known: Known) -> Meanings | None:
    """Return the vectors; the duplicates are given owner by owner."""
    meanings = known.meanings
    return meanings and Meanings.of(
        meanings.originals, meanings.answers, meanings.duplicates, known.owner_starts
    )


def _edges(known: Known) -> list[int]:
    """Cut the originals where the number of texts so far passes a multiple of `TEXTS_AT_ONCE`."""
    texts = known.owner_starts[1:] + 2 * np.arange(1, len(known.originals) + 1)
    inner = np.flatnonzero(np.diff(texts // TEXTS_AT_ONCE)) + 1
    return [0, *inner.tolist(), len(known.originals)]


def _topic(
    space: Space, scale: Scale, known: Known, texts: Sequence[TextRows]
) -> tuple[csr_array, Float32s]:
    """Return ln(1 + in how many texts of the family a term is / in how many of one on average).

    And the bias ln(mean / (mean + terms of the family)): together, the ratio of the term's
    probability in the family to that in all texts (Zhai and Lafferty 2004, "A Study of Smoothing
    Methods for Language Models", section 3, with as much smoothing as an average family has terms).
    """
    _, characters, _ = space.spans
    views = [present_terms(without(each.weights, characters)) for each in texts]
    family = pooled(known, *views)
    on_average, terms = average_family(space, scale)
    values = np.log1p(family.data / on_average[family.indices]).astype(np.float32)
    rows = csr_array((values, family.indices, family.indptr), shape=family.shape)
    bias = np.log(terms / (terms + family.sum(axis=1)))
    return heaviest(rows, scale.family_entries), bias.astype(np.float32)


def average_family(space: Space, scale: Scale) -> tuple[NDArray[np.float64], float]:
    """Return in how many texts of an average family each term is, and the sum for words and code."""
    on_average = space.document_frequencies / np.float64(scale.families)
    return on_average, float(np.delete(on_average, space.spans[1]).sum())


def pooled(
    known: Known, originals: csr_array, answers: csr_array, duplicates: csr_array
) -> csr_array:
    """Add up the rows of each original, its answer and its duplicates."""
    return csr_array(
        originals + answers + pooled_duplicates(known.owners, len(known.originals), duplicates)
    )


def pooled_duplicates(
    owners: NDArray[np.int64], originals: int, duplicates: csr_array
) -> csr_array:
    """Add up the rows of each original's duplicates."""
    is_owner = (np.ones(len(owners), np.float32), (owners, np.arange(len(owners))))
    shape = (originals, len(owners))
    return csr_array(coo_array(is_owner, shape=shape).tocsr() @ duplicates)


def _bm25(space: Space, counts: csr_array, average_words: float) -> csr_array:
    """Return BM25's weight of each term in each text.

    Robertson and Zaragoza (2009), "The Probabilistic Relevance Framework: BM25 and Beyond", section
    3.4, with idf as scikit-learn smooths it.
    """
    relative = counts.sum(axis=1) / average_words
    lengths = 1 - _BM25_LENGTH_SHARE + _BM25_LENGTH_SHARE * relative
    divisors = counts.data + _BM25_SATURATION * np.repeat(lengths, np.diff(counts.indptr))
    weights = space.idf[counts.indices] * counts.data * (_BM25_SATURATION + 1) / divisors
    return csr_array(
        (weights.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape
    )
