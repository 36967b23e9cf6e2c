"""One linear support vector classifier for each class, against all others."""

from __future__ import annotations

import warnings
from typing import Any

from sklearn.svm import LinearSVC


def fit_one_against_all(
    texts: Any, labels: Any, seed: int, *, penalty: float = 1.0, tolerance: float = 1e-4
) -> Any:
    """Fit scikit-learn's :class:`~sklearn.svm.LinearSVC`; same texts and seed, same classifiers.

    Args:
        texts: (texts, width).
        labels: class of each text.
        seed: of the order in which the texts are looked at.
        penalty: of what is on the wrong side.
        tolerance: at which the fit ends.
    """
    with warnings.catch_warnings():
        # An original without duplicates is a class with a single text, which looks like regression.
        warnings.filterwarnings("ignore", message="The number of unique classes is greater")
        return LinearSVC(C=penalty, tol=tolerance, random_state=seed).fit(texts, labels)
