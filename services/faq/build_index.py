"""Building the originals' side of every pair from the known texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, vstack

from services.faq.index import PRESENT, SIMILAR, SQUARED, Index, Rows, Scale, Topics
from services.faq.known import Known, Progress
from services.faq.network import Network
from services.faq.processes import in_processes
from services.faq.retrieval import postings_of
from services.faq.space import Float32s, Space, TextRows

FAMILY_ENTRIES: Final = 40_000_000
"""Entries of all families' rows of one kind, which bounds the memory of many originals."""
FEWEST_FAMILY_ENTRIES: Final = 256
"""Entries, the heaviest, that a family's row keeps in any case."""
TEXTS_AT_ONCE: Final = 16_384

_BM25_SATURATION: Final = 1.2
_BM25_LENGTH_SHARE: Final = 0.75


class TooManyTerms(Exception):
    """The texts have more terms than an index can hold; the message is one line."""


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
    return index_of(space, learnt, scale, list(progress(parts, "indexing") if progress else parts))


def index_of(space: Space, learnt: Learnt | None, scale: Scale, parts: list[Part]) -> Index:
    """Put the parts, which are given up one after the other, together."""
    starts = [part.rows.owner_starts for part in parts]
    shifts = np.cumsum([0, *(start[-1] for start in starts[:-1])])
    bias = np.concatenate([part.topic_bias for part in parts])
    rows = Rows(
        similar=_joined(space.width, [part.rows.similar for part in parts]),
        squared=_joined(space.width, [part.rows.squared for part in parts]),
        present=_joined(space.width, [part.rows.present for part in parts]),
        duplicates=_joined(space.width, [part.rows.duplicates for part in parts]),
        owner_starts=np.concatenate(
            [np.zeros(1, np.int64), *(s[1:] + by for s, by in zip(starts, shifts, strict=True))]
        ),
        family_lengths=np.concatenate([part.rows.family_lengths for part in parts]),
    )
    return Index(
        space=space,
        topics=learnt.topics if learnt else Topics(np.zeros((0, 0), np.float32), bias),
        network=learnt.network if learnt else None,
        rows=rows,
        postings=postings_of(rows.similar[SIMILAR.index("family_word") :: len(SIMILAR)]),
        scale=scale,
    )


def scale_of(space: Space, known: Known) -> Scale:
    """Measure the texts."""
    words = space.spans[0].stop
    originals = max(len(known.originals), 1)
    total = 0.0
    for start in range(0, len(known.originals), TEXTS_AT_ONCE):
        counts = space.rows(known.originals[start : start + TEXTS_AT_ONCE]).counts
        total += float(counts.data[counts.indices < words].sum())
    return Scale(
        average_words=max(total / originals, 1),
        families=originals,
        family_entries=max(FAMILY_ENTRIES // originals, FEWEST_FAMILY_ENTRIES),
    )


def build_part(space: Space, scale: Scale, known: Known, *, with_topics: bool) -> Part:
    """Compute the rows of a few originals, whose duplicates are given owner by owner."""
    words, characters, code = space.spans
    originals = space.rows(known.originals)
    titles = space.rows(known.original_titles).weights
    answers = space.rows(known.answers)
    duplicates = space.rows(known.duplicates)
    family = _pooled(known, originals.weights, answers.weights, duplicates.weights)
    family_words, word_lengths = _unit_length(_only(family, words))
    family_characters, character_lengths = _unit_length(_only(family, characters))
    most = scale.family_entries
    similar = {
        "word": _only(originals.weights, words),
        "character": _only(originals.weights, characters),
        "code": _only(originals.weights, code),
        "title": titles,
        "answer_word": _only(answers.weights, words),
        "answer_code": _only(answers.weights, code),
        "family_word": _heaviest(family_words, most),
        "family_character": _heaviest(family_characters, most),
    }
    squared = {
        "question_share": _present(_only(originals.weights, words)),
        "code_share": _present(_only(originals.weights, code)),
    }
    present = {
        "title_share": titles.power(2),
        "bm25": _bm25(space, _only(originals.counts, words), scale.average_words),
    }
    topic, bias = _topic(space, scale, known, (originals, answers, duplicates))
    if not with_topics:
        topic = csr_array(topic.shape, dtype=np.float32)
    return Part(
        rows=Rows(
            similar=_interleaved([similar[name] for name in SIMILAR]),
            squared=_interleaved([squared[name] for name in SQUARED]),
            present=_interleaved([*(present[name] for name in PRESENT), topic]),
            duplicates=_only(duplicates.weights, words),
            owner_starts=known.owner_starts,
            family_lengths=np.stack((word_lengths, character_lengths), axis=1),
        ),
        topic_bias=bias,
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
    views = [_present(_without(each.weights, characters)) for each in texts]
    family = _pooled(known, *views)
    on_average = space.document_frequencies / scale.families
    values = np.log1p(family.data / on_average[family.indices]).astype(np.float32)
    rows = csr_array((values, family.indices, family.indptr), shape=family.shape)
    terms = float(np.delete(on_average, characters).sum())
    bias = np.log(terms / (terms + family.sum(axis=1)))
    return _heaviest(rows, scale.family_entries), bias.astype(np.float32)


def _pooled(
    known: Known, originals: csr_array, answers: csr_array, duplicates: csr_array
) -> csr_array:
    """Add up the rows of each original, its answer and its duplicates."""
    is_owner = (
        np.ones(len(known.owners), np.float32),
        (known.owners, np.arange(len(known.owners))),
    )
    shape = (len(known.originals), len(known.owners))
    return csr_array(originals + answers + coo_array(is_owner, shape=shape).tocsr() @ duplicates)


def _joined(width: int, parts: list[csr_array]) -> csr_array:
    """Put rows one below the other, giving the parts up one by one."""
    rows = [np.diff(part.indptr) for part in parts]
    indptr = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.concatenate(rows))))
    indices = np.concatenate([part.indices for part in parts], dtype=np.int32)
    data = np.concatenate([part.data for part in parts], dtype=np.float32)
    parts.clear()
    if indptr[-1] > np.iinfo(np.int32).max:
        raise TooManyTerms("the texts have more terms than one model can hold: leave some out")
    return csr_array((data, indices, indptr.astype(np.int32)), shape=(len(indptr) - 1, width))


def _interleaved(kinds: Sequence[csr_array]) -> csr_array:
    """Put the kinds' rows of each original, as they are in `Rows`, together."""
    originals = len(kinds[0].indptr) - 1
    order = np.arange(len(kinds)) * originals + np.arange(originals)[:, np.newaxis]
    return csr_array(vstack(kinds, format="csr"), dtype=np.float32)[order.ravel()]


def _only(rows: csr_array, columns: slice) -> csr_array:
    """Return the rows with nothing outside of the columns."""
    return _where(rows, (rows.indices >= columns.start) & (rows.indices < columns.stop))


def _without(rows: csr_array, columns: slice) -> csr_array:
    """Return the rows with nothing in the columns."""
    return _where(rows, (rows.indices < columns.start) | (rows.indices >= columns.stop))


def _heaviest(rows: csr_array, most: int) -> csr_array:
    """Return the rows with no more than so many entries each, those of the greatest values."""
    lengths = np.diff(rows.indptr)
    values = np.asarray(rows.data, np.float32)
    keep = np.ones(len(values), np.bool_)
    for row in np.flatnonzero(lengths > most).tolist():
        entries = slice(rows.indptr[row], rows.indptr[row + 1])
        keep[entries][np.argsort(-values[entries], kind="stable")[most:]] = False
    return rows if keep.all() else _where(rows, keep)


def _where(rows: csr_array, keep: NDArray[np.bool_]) -> csr_array:
    kept = np.concatenate((np.zeros(1, np.int64), np.cumsum(keep)))
    parts = (rows.data[keep], rows.indices[keep], kept[rows.indptr].astype(np.int32))
    return csr_array(parts, shape=rows.shape)


def _present(rows: csr_array) -> csr_array:
    return csr_array((np.ones_like(rows.data), rows.indices, rows.indptr), shape=rows.shape)


def _unit_length(rows: csr_array) -> tuple[csr_array, Float32s]:
    """Divide the rows by their lengths, and return those too."""
    lengths = np.sqrt(rows.power(2).sum(axis=1)).astype(np.float32)
    divisors = np.repeat(np.where(lengths > 0, lengths, 1), np.diff(rows.indptr))
    return csr_array((rows.data / divisors, rows.indices, rows.indptr), shape=rows.shape), lengths


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
