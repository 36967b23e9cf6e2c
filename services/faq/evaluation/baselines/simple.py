"""Baselines that learn next to nothing: the largest class, TF-IDF cosine, the nearest neighbour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from services.faq.classifier import Float64s
from services.faq.evaluation.baselines.baseline import KnownText, Score
from services.faq.evaluation.baselines.terms import words_and_characters


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

    def score(asked: Sequence[str]) -> Float64s:
        similarities: Any = csr_array(normalize(vectorizer.transform(asked))) @ by_owner
        return np.maximum.reduceat(similarities.toarray(), starts, axis=1)

    return score
