"""What a model is compared with: the most frequent original, and plain TF-IDF cosine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from services.faq.metrics import Accuracy, accuracy, places_of
from services.faq.ranking import best_first
from services.faq.text import CleanText


def largest_class(
    training: NDArray[np.int64], held_out: NDArray[np.int64], originals: int
) -> Accuracy:
    """Rank the originals, always alike, by how many training duplicates they have."""
    order = np.argsort(-np.bincount(training, minlength=originals), kind="stable")
    return accuracy(places_of([order] * len(held_out), held_out, originals), held_out)


def plain_cosine(
    originals: Sequence[CleanText], questions: Sequence[CleanText], owners: NDArray[np.int64]
) -> Accuracy:
    """Rank the originals by the cosine of scikit-learn's default TF-IDF vectors of the prose."""
    vectorizer = TfidfVectorizer()
    try:
        known = vectorizer.fit_transform([f"{text.title} {text.prose}" for text in originals])
    except ValueError:
        return largest_class(np.zeros(0, np.int64), owners, len(originals))
    asked = vectorizer.transform([f"{text.title} {text.prose}" for text in questions])
    orders = best_first((asked @ known.T).toarray())
    return accuracy(places_of(orders, owners, len(originals)), owners)
