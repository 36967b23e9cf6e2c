"""Fitting the first stage: the space of the terms, and the classifiers of few originals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from services.faq.build_index import Learnt, build_index
from services.faq.fit_network import fit_network
from services.faq.index import Index, Topics
from services.faq.known import Known, Progress
from services.faq.network import rows_of_equal_length
from services.faq.one_against_all import fit_one_against_all
from services.faq.space import Space
from services.faq.terms import KIND_BITS, Hashes, TermTable

MOST_TOPIC_WEIGHTS: Final = 24_000_000
"""Most weights of the fitted linear classifiers (terms times originals): bounds memory and folder."""
MOST_FITTED_TOPICS: Final = 400
"""Most originals that have a fitted classifier each."""
MOST_TERMS: Final = 2_000_000
"""Most terms of the space where the classifiers are not fitted."""

_FEWEST_TEXTS: Final = (2, 3, 2)
"""A term is known when at least so many texts have it: words, characters, code."""
_SHARES: Final = (0.45, 0.45, 0.1)
_ENTRIES_AT_ONCE: Final = 1 << 23
_PENALTY: Final = 0.3
_TOLERANCE: Final = 1e-2


def fit_index(
    known: Known, seed: int, progress: Progress | None = None, *, are_few: bool | None = None
) -> Index:
    """Fit space and classifiers on the known texts, and build the originals' side.

    Args:
        known: the texts.
        seed: of the classifiers.
        progress: shows the progress.
        are_few: whether each original has fitted classifiers; if left out, where they are few enough.
    """
    originals = len(known.originals)
    if are_few is None:
        are_few = originals <= MOST_FITTED_TOPICS
    space = fit_space(
        (known.originals, known.answers, known.duplicates),
        most=MOST_TOPIC_WEIGHTS // originals if are_few else MOST_TERMS,
    )
    learnt = fit_learnt(space, known, seed) if are_few else None
    return build_index(space, learnt, known, progress)


def fit_space(tables: Iterable[TermTable], *, most: int) -> Space:
    """Learn which terms there are and how rare each is.

    Args:
        tables: all texts.
        most: of the terms, no more than these are known, those that most texts have.
    """
    texts, hashes, frequencies = _document_frequencies(tables)
    kinds = (hashes >> KIND_BITS).astype(np.int64)
    known: list[NDArray[np.int64]] = []
    for kind, (fewest, share) in enumerate(zip(_FEWEST_TEXTS, _SHARES, strict=True)):
        terms = np.flatnonzero((kinds == kind) & (frequencies >= fewest))
        frequent = np.argsort(-frequencies[terms], kind="stable")[: max(1, int(most * share))]
        known.append(np.sort(terms[frequent]))
    chosen = np.concatenate(known)
    idf = np.log((1 + texts) / (1 + frequencies[chosen])) + 1
    return Space(hashes[chosen], idf.astype(np.float32), texts)


def _document_frequencies(
    tables: Iterable[TermTable],
) -> tuple[int, Hashes, NDArray[np.int64]]:
    """Return the number of texts, the different terms, and in how many texts each is."""
    texts = 0
    merged = [(np.zeros(0, np.uint64), np.zeros(0, np.int64))]
    for table in tables:
        texts += len(table)
        for piece in table.pieces(_ENTRIES_AT_ONCE):
            merged.append(np.unique(piece.entries()[1], return_counts=True))
            while len(merged) > 1 and len(merged[-1][0]) * 2 > len(merged[-2][0]):
                merged[-2:] = [_added(merged[-2], merged[-1])]
    while len(merged) > 1:
        merged[-2:] = [_added(merged[-2], merged[-1])]
    return texts, *merged[0]


def _added(
    first: tuple[Hashes, NDArray[np.int64]], second: tuple[Hashes, NDArray[np.int64]]
) -> tuple[Hashes, NDArray[np.int64]]:
    hashes = np.concatenate((first[0], second[0]))
    counts = np.concatenate((first[1], second[1]))
    order = np.argsort(hashes, kind="stable")
    hashes, counts = hashes[order], counts[order]
    starts = np.flatnonzero(np.concatenate(([True], hashes[1:] != hashes[:-1]))[: len(hashes)])
    return hashes[starts], np.add.reduceat(counts, starts) if len(starts) else counts


def fit_learnt(space: Space, known: Known, seed: int) -> Learnt:
    """Fit linear classifiers and a network on the originals, their answers and their duplicates."""
    originals = len(known.originals)
    labels = np.concatenate([np.arange(originals), np.arange(originals), known.owners])
    rows = [
        space.rows(table).weights for table in (known.originals, known.answers, known.duplicates)
    ]
    texts = rows_of_equal_length(csr_array(vstack(rows)))
    return Learnt(
        topics=fit_topics(texts, labels, originals, seed),
        network=fit_network(texts, labels, originals, seed),
    )


def fit_topics(texts: csr_array, labels: NDArray[np.int64], originals: int, seed: int) -> Topics:
    """Fit a linear support vector classifier for each original, of two or more, against the others.

    Args:
        texts: float32 (texts, width), of equal length.
        labels: position of the original of each text.
        originals: number of them.
        seed: same texts and seed, same classifiers.
    """
    fitted = fit_one_against_all(texts, labels, seed, penalty=_PENALTY, tolerance=_TOLERANCE)
    weights, bias = fitted.coef_.T, fitted.intercept_
    if originals == 2:
        weights, bias = np.hstack([-weights, weights]), np.concatenate([-bias, bias])
    return Topics(half_precision(weights), bias.astype(np.float32))


def half_precision(weights: np.ndarray) -> np.ndarray:
    """Round to what the model folder stores, so that a model scores the same before and after."""
    return np.ascontiguousarray(weights.astype(np.float16).astype(np.float32))
