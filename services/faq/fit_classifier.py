"""Fitting the second stage with scikit-learn: a logistic regression, calibrated on folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from services.faq.classifier import Float64s, PairClassifier
from services.faq.space import Float32s

CALIBRATION_FOLDS: Final = 5
_PENALTY: Final = 1.0


@dataclass(frozen=True)
class FittedClassifier:
    """The classifier that is served, and scikit-learn's own object, which says the same."""

    served: PairClassifier
    fitted: CalibratedClassifierCV


def fit_classifier(
    features: Float32s, is_match: NDArray[np.bool_], questions: NDArray[np.int64], seed: int
) -> FittedClassifier:
    """Fit on the pairs of some questions with their candidates.

    Args:
        features: float32 (features, questions, candidates), computed without the questions
            themselves among the known duplicates.
        is_match: (questions, candidates), whether the candidate is the right original.
        questions: number of each question; the same for a question and for its title alone.
        seed: of the folds, which keep all pairs of a question together.
    """
    pairs, labels = as_pairs(features, is_match)
    groups = np.repeat(questions, features.shape[2])
    folds = GroupKFold(CALIBRATION_FOLDS, shuffle=True, random_state=seed)
    base = Pipeline(
        [
            ("scale", StandardScaler()),
            ("classify", LogisticRegression(C=_PENALTY, solver="newton-cholesky")),
        ]
    )
    splits = list(folds.split(pairs, labels, groups))
    options: dict[str, Any] = {"method": "sigmoid", "cv": splits, "ensemble": False}
    fitted = CalibratedClassifierCV(base, **options).fit(pairs, labels)
    return FittedClassifier(_served(fitted), fitted)


def as_pairs(features: Float32s, is_match: NDArray[np.bool_]) -> tuple[Float32s, NDArray[np.int64]]:
    """Return one row of features per pair, question by question, and whether it is a match."""
    return features.reshape(len(features), -1).T, is_match.ravel().astype(np.int64)


def _served(fitted: CalibratedClassifierCV) -> PairClassifier:
    calibrated: Any = next(iter(fitted.calibrated_classifiers_))
    scale = calibrated.estimator.named_steps["scale"]
    classify = calibrated.estimator.named_steps["classify"]
    weights: Float64s = classify.coef_[0] / scale.scale_
    return PairClassifier(
        weights=weights,
        bias=float(classify.intercept_[0] - weights @ scale.mean_),
        slope=float(calibrated.calibrators[0].a_),
        offset=float(calibrated.calibrators[0].b_),
    )
