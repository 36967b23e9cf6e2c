"""A linear support vector machine over words and characters: hard to beat with many duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from services.faq.classifier import Float64s
from services.faq.evaluation.baselines.baseline import KnownText, Score
from services.faq.evaluation.baselines.terms import words_and_characters
from services.faq.one_against_all import fit_one_against_all

MOST_ORIGINALS: Final = 2_000
"""One classifier for each original, each with a weight for every term."""


def linear_svm(known: KnownText, seed: int = 0) -> Score:
    """Rank the originals by the margin of one linear classifier for each, against all others.

    Fitted on the originals and their known duplicates.
    """
    texts = [*known.originals, *known.duplicates]
    labels = np.concatenate((np.arange(len(known.originals)), known.owners))
    terms = words_and_characters()
    try:
        vectors = terms.fit_transform(texts)
    except ValueError:  # no text has a word
        return lambda asked: np.zeros((len(asked), len(known.originals)))
    classifier = fit_one_against_all(vectors, labels, seed)

    def score(asked: Sequence[str]) -> Float64s:
        margins: Any = classifier.decision_function(terms.transform(asked))
        return margins if margins.ndim == 2 else np.stack((-margins, margins), axis=1)

    return score
