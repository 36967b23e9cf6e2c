"""Fitting the first stage with scikit-learn: the space of the terms and the linear classifiers."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from services.faq.analysis import Terms
from services.faq.build_index import Known, KnownRows, build_index, known_rows
from services.faq.index import Index, Topics
from services.faq.space import Block, Space

MOST_TOPIC_WEIGHTS: Final = 24_000_000
"""Most weights of the linear classifiers (terms times originals): bounds memory and folder size."""

_FEWEST_TEXTS: Final = {"words": 2, "characters": 3, "code": 2}
"""A term is known when at least so many texts have it."""
_SHARES: Final = {"words": 0.45, "characters": 0.45, "code": 0.1}
_PENALTY: Final = 0.2
_TOLERANCE: Final = 1e-2


def fit_index(known: Known, seed: int) -> Index:
    """Fit space and linear classifiers on the known texts, and build the originals' side."""
    space = fit_space([*known.originals, *known.answers, *known.duplicates], len(known.originals))
    rows = known_rows(space, known)
    return build_index(space, fit_topics(rows, known.owners, seed), known, rows)


def fit_space(texts: Sequence[Terms], originals: int) -> Space:
    """Learn which terms there are and how rare each is."""
    most = MOST_TOPIC_WEIGHTS // originals
    blocks = {
        name: fit_block(texts, name, fewest=fewest, most=max(1, int(most * _SHARES[name])))
        for name, fewest in _FEWEST_TEXTS.items()
    }
    return Space(**blocks)


def vectorizer(name: str, *, fewest: int, most: int) -> TfidfVectorizer:
    """Return scikit-learn's vectoriser for one kind of terms (a field of `Terms`)."""
    options: dict[str, Any] = {
        "analyzer": operator.attrgetter(name),
        "min_df": fewest,
        "max_features": most,
        "sublinear_tf": True,
        "dtype": np.float32,
    }
    return TfidfVectorizer(**options)


def fit_block(texts: Sequence[Terms], name: str, *, fewest: int, most: int) -> Block:
    """Learn one kind of terms; the block is empty where too few texts have any."""
    fitted = vectorizer(name, fewest=fewest, most=most)
    try:
        fitted.fit(texts)
    except ValueError as error:
        if "no terms remain" in str(error) or "empty vocabulary" in str(error):
            return Block({}, np.zeros(0, np.float32))
        raise
    columns = {term: int(column) for term, column in sorted(fitted.vocabulary_.items())}
    return Block(columns, fitted.idf_.astype(np.float32))


def fit_topics(rows: KnownRows, owners: NDArray[np.int64], seed: int) -> Topics:
    """Fit a linear support vector classifier for each original against all the others.

    The texts are the originals themselves, their answers and their duplicates. There must be at
    least two originals.
    """
    originals = len(rows.originals.indptr) - 1
    labels = np.concatenate([np.arange(originals), np.arange(originals), owners])
    texts = csr_array(vstack([rows.originals, rows.answers, rows.duplicates]))
    fitted: Any = LinearSVC(C=_PENALTY, tol=_TOLERANCE, random_state=seed).fit(texts, labels)
    weights, bias = fitted.coef_.T, fitted.intercept_
    if originals == 2:
        weights, bias = np.hstack([-weights, weights]), np.concatenate([-bias, bias])
    return Topics(_half_precision(weights), bias.astype(np.float32))


def _half_precision(weights: np.ndarray) -> np.ndarray:
    """Round to what the model folder stores, so that a model scores the same before and after."""
    return np.ascontiguousarray(weights.astype(np.float16).astype(np.float32))
