"""The signals of pairs of a posted question and an original: what the second stage goes by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.faq.index import PRESENT, Index, Rows
from services.faq.meanings import Meanings, nearness
from services.faq.network import of_equal_length
from services.faq.products import duplicates_of, products_with_all, products_with_chosen
from services.faq.retrieval import CANDIDATES, Candidates, best_candidates
from services.faq.space import Float32s, Place


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
    """Compare a batch of texts, each with its candidates; the others change nothing for a text.

    Args:
        index: what is known.
        places: of the texts, one or more.
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
    if candidates.shape[1] == index.originals <= CANDIDATES:
        products = products_with_all(index, places)
    else:
        products = products_with_chosen(index, places, candidates)
    present = products.present[: len(PRESENT)].copy()
    words = np.asarray([[max(place.idf_of_words, 1)] for place in places], np.float32)
    present[PRESENT.index("bm25")] /= words
    signals = [
        products.similar,
        products.squared,
        present,
        products.nearest,
        _counts(index.rows, candidates),
        _learnt(index, places, candidates, products.present[-1]),
    ]
    if known is not None and meanings is not None:
        meant = zip(meanings, candidates, strict=True)
        signals.append(np.stack([_meant(index.rows, known, *each) for each in meant], axis=1))
    return np.concatenate(signals)


def _counts(rows: Rows, candidates: Candidates) -> Float32s:
    """Return the signals of `COUNTS`, (2, texts, candidates)."""
    sizes = rows.owner_starts[candidates + 1] - rows.owner_starts[candidates]
    return np.stack((np.log1p(sizes), sizes == 0), dtype=np.float32)


def _learnt(
    index: Index, places: Sequence[Place], candidates: Candidates, sums: Float32s
) -> Float32s:
    """Return the signals of `LEARNT`, (2, texts, candidates)."""
    topics, network = index.topics, index.network
    if not topics.are_fitted or network is None:
        known = np.asarray([[max(place.known, 1)] for place in places], np.float32)
        return np.stack((sums / known + topics.bias[candidates], np.zeros_like(sums)))
    texts = _rows_of_equal_length(places, index.space.width)
    learnt = np.stack((texts @ topics.weights + topics.bias, network.margins(texts)))
    if learnt.shape[1:] == candidates.shape:
        return learnt
    return np.take_along_axis(learnt, candidates[np.newaxis], axis=-1)


def _rows_of_equal_length(places: Sequence[Place], width: int) -> csr_array:
    """Return the texts' weights as sparse rows, float32 (texts, width), of equal length."""
    weights = np.concatenate([of_equal_length(place.weights) for place in places])
    columns = np.concatenate([place.columns for place in places])
    ends = np.cumsum([0, *(len(place.columns) for place in places)], dtype=np.int32)
    return csr_array((weights, columns, ends), shape=(len(places), width))


def _meant(rows: Rows, known: Meanings, meaning: Float32s, chosen: NDArray[np.int64]) -> Float32s:
    """Return the signals of `MEANT` of one text with the chosen originals."""
    places, owned = duplicates_of(rows, chosen)
    original = nearness(known.originals, chosen, meaning)
    answer = nearness(known.answers, chosen, meaning)
    nearest = owned.nearest(nearness(known.duplicates, places, meaning), original)
    family = nearness(known.families, chosen, meaning)
    return np.stack((original, answer, *nearest, family))
