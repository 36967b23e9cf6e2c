"""Baselines that learn next to nothing: the largest class, TF-IDF cosine, the nearest neighbour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from services.faq.classifier import Float64s
from services.faq.evaluation.baselines.baseline import KnownText, Score
from services.faq.evaluation.baselines.terms import words_and_characters

MOST_OF_WORDS_AND_CHARACTERS: Final = 20_000_000
"""Characters of text: each makes up to four entries of some dozens of bytes, so up to 3 GB or so."""
MOST_OF_WORDS: Final = 500_000_000
"""Characters of text, of which words alone make a few bytes each."""

_MOST_SIMILARITIES: Final = 1 << 25
"""Most similarities (questions times known texts) that are held at once."""


def largest_class(known: KnownText) -> Score:
    """Rank the originals, always alike, by how many known duplicates they have."""
    counts = np.bincount(known.owners, minlength=len(known.originals)).astype(np.float64)
    return lambda texts: np.tile(counts, (len(texts), 1))


def plain_cosine(known: KnownText) -> Score:
    """Rank the originals by the cosine of scikit-learn's default TF-IDF vectors."""
    everyone = np.arange(len(known.originals))
    return _nearest(TfidfVectorizer(), known.originals, everyone, len(everyone))


def nearest_neighbour(known: KnownText) -> Score:
    """Rank the originals by the most similar of itself and its known duplicates: the cosine of words
    and characters.
    """
    owners = np.concatenate((np.arange(len(known.originals)), known.owners))
    texts = [*known.originals, *known.duplicates]
    return _nearest(words_and_characters(), texts, owners, len(known.originals))


def _nearest(
    vectorizer: Any, texts: Sequence[str], owners: NDArray[np.int64], originals: int
) -> Score:
    try:
        vectors = csr_array(normalize(vectorizer.fit_transform(texts)))
    except ValueError:  # no text has a word
        return lambda asked: np.zeros((len(asked), originals))
    order = np.argsort(owners, kind="stable")
    by_owner = csr_array(vectors[order].T)
    starts = np.searchsorted(owners[order], np.arange(originals))

    rows = max(1, _MOST_SIMILARITIES // len(texts))

    def score(asked: Sequence[str]) -> Float64s:
        # In lots: known duplicates can be many times as many as originals, whose scores are kept.
        vectors = csr_array(normalize(vectorizer.transform(asked)))
        lots = (vectors[start : start + rows] @ by_owner for start in range(0, len(asked), rows))
        return np.concatenate([np.maximum.reduceat(_dense(lot), starts, axis=1) for lot in lots])

    return score


def _dense(similarities: Any) -> Float64s:
    return similarities.toarray()
