"""What each part of the FAQ matcher is worth, cross-validated on training questions alone.

Nothing here reads a held-out question: the choices that `services/faq` makes are justified by what
this prints, and a held-out part that has chosen nothing measures the result.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benchmarks.result import Result, Table
from services.faq.data import read_data
from services.faq.features import FEATURES
from services.faq.fit_calibration import fit_calibrated
from services.faq.fit_classifier import Choices, fit_choices, fit_classifier, no_match
from services.faq.known import known_texts
from services.faq.split import split_data
from services.faq.training import CALIBRATION_PARTS, OutOfFold, out_of_fold

ROOT: Final = Path(__file__).parent.parent
SEED: Final = 0
HOLD_OUT: Final = 0.2
ASKED: Final = 800
"""Training questions that are scored, a sample; each first stage is fitted with all that it may."""
PARTS: Final = 2
FEW: Final = np.log1p(2) + 1e-3
"""Of the feature `duplicates`: two known duplicates or fewer."""

Fit = Callable[[OutOfFold], Callable[[NDArray[np.float32]], NDArray[np.float64]]]
"""Learns from questions how to score features."""


@dataclass(frozen=True)
class Variant:
    """A second stage: what it may see, and how it learns."""

    name: str
    hidden: Sequence[str]
    """Prefixes of the features that it may not see."""
    fit: Fit


def run() -> Result:
    """Cut the training questions of each data set in parts, and score each with what others taught."""
    tables: list[Table] = []
    with threadpool_limits(limits=1):
        for name, folder in folders():
            held = _held(folder)
            rows = [row(variant, held) for variant in tqdm(VARIANTS, desc=name, disable=None)]
            count = int((held.is_whole & ~held.is_thinned).sum())
            tables.append(Table(f"{name}: {count} training questions", COLUMNS, rows))
    return Result(
        name="matcher",
        title="What each part of the FAQ matcher is worth",
        notes=(NOTES,),
        tables=tables,
        targets=(),
    )


def row(variant: Variant, held: OutOfFold) -> list[str]:
    """Score every question with what the other parts taught; return the figures as cells."""
    counts = held.features[FEATURES.index("duplicates")].copy()
    features = held.features.copy()
    hidden = [_is_hidden(name, variant.hidden) for name in FEATURES]
    features[np.asarray(hidden)] = 0
    held = replace(held, features=features)
    scores = np.zeros(held.candidates.shape)
    best_unmatched = np.zeros(len(held.questions))
    for part in range(PARTS):
        asked = held.questions % PARTS == part
        probabilities = variant.fit(held.only(~asked))
        scores[asked] = probabilities(held.features[:, asked])
        matched = asked & held.is_match.any(axis=1)
        rest = held.only(matched)
        unmatched = no_match(rest.features, rest.is_match, rest.is_alternative).features
        best_unmatched[matched] = probabilities(unmatched).max(axis=1)
    return [variant.name, *_figures(held, scores, best_unmatched, counts < FEW)]


def _is_hidden(name: str, prefixes: Sequence[str]) -> bool:
    """Whether a feature is, or is made from, what is hidden."""
    counted = "duplicates" in prefixes and name.endswith("_by_duplicates")
    return counted or name.startswith(tuple(prefixes))


def _figures(
    held: OutOfFold,
    scores: NDArray[np.float64],
    best_unmatched: NDArray[np.float64],
    has_few: NDArray[np.bool_],
) -> list[str]:
    order = np.take_along_axis(held.candidates, np.argsort(-scores, axis=1, kind="stable"), axis=1)
    first = order[:, 0] == held.owners
    third = (order[:, :3] == held.owners[:, np.newaxis]).any(axis=1)
    asked = held.is_whole & ~held.is_thinned
    few = held.is_whole & held.is_thinned & (has_few & held.is_match).any(axis=1)
    best = scores.max(axis=1)
    matched = asked & held.is_match.any(axis=1)
    return [
        f"{first[asked].mean():.1%}",
        f"{third[asked].mean():.1%}",
        f"{first[few].mean():.1%}" if few.any() else "–",
        f"{calibration_error(best[asked], first[asked]):.1%}",
        f"{_auroc(best[matched], best_unmatched[matched]):.3f}",
    ]


def calibration_error(scores: NDArray[np.float64], is_right: NDArray[np.bool_]) -> float:
    """Mean gap between score and share that is right, in ten bins of equal width."""
    bins = np.minimum((scores * 10).astype(np.int64), 9)
    gaps = np.bincount(bins, scores, 10) - np.bincount(bins, is_right, 10)
    return float(np.abs(gaps).sum() / len(scores))


def _auroc(matched: NDArray[np.float64], unmatched: NDArray[np.float64]) -> float:
    is_match = np.repeat([1, 0], [len(matched), len(unmatched)])
    return float(roc_auc_score(is_match, np.concatenate((matched, unmatched))))


def _served(held: OutOfFold) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    halves = held.questions // PARTS % CALIBRATION_PARTS
    return fit_calibrated(
        held.features,
        held.is_match,
        held.is_alternative,
        parts=halves,
        is_asked=~held.is_thinned,
    ).probabilities


def _not_calibrated(held: OutOfFold) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    return fit_classifier(held.features, held.is_match, held.is_alternative).probabilities


def _without_thinned(held: OutOfFold) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    return _not_calibrated(held.only(~held.is_thinned))


def _without_unmatched(held: OutOfFold) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    matched = held.only(np.asarray(held.is_match.any(axis=1)))
    right = matched.is_match.argmax(axis=1)
    choices = Choices(matched.features, matched.is_alternative, right, np.ones(len(right)))
    return fit_choices([choices]).probabilities


def _pairwise(held: OutOfFold) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    """Learn each pair by itself: a logistic regression, as before there were choices."""
    held = held.only(~held.is_thinned)
    pairs = held.features.reshape(len(FEATURES), -1).T
    fitted = make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cholesky"))
    fitted.fit(pairs, held.is_match.ravel())

    def probabilities(features: NDArray[np.float32]) -> NDArray[np.float64]:
        rows = features.reshape(len(FEATURES), -1).T
        return fitted.predict_proba(rows)[:, 1].reshape(features.shape[1:])

    return probabilities


def _alone(name: str) -> Fit:
    """Score with one signal, brought between 0 and 1; its calibration means nothing."""

    def fit(_: OutOfFold) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
        return lambda features: expit(features[FEATURES.index(name)].astype(np.float64))

    return fit


def folders() -> Iterator[tuple[str, Path]]:
    """Return the name and the folder of each data set that is there."""
    yield "corpus", ROOT / "services" / "faq" / "corpus"
    shared = Path(os.environ.get("SCORING_SHARED", ROOT.parent / "shared"))
    if (shared / "data" / "banking77").is_dir():
        yield "banking77", shared / "data" / "banking77"


def _held(folder: Path) -> OutOfFold:
    data = read_data(folder)
    split = split_data(data, HOLD_OUT, SEED)
    held = out_of_fold(known_texts(data).with_only(split.training), SEED, show_progress)
    questions = np.unique(held.questions)
    sample = np.random.default_rng(SEED).permutation(questions)[:ASKED]
    return held.only(np.isin(held.questions, sample))


def show_progress(steps: Iterable[object], what: str) -> Iterable[object]:
    """Show a bar while the steps are taken."""
    return tqdm(steps, desc=what, disable=None, leave=False)


COLUMNS: Final = ("second stage", "@1", "@3", "@1 of few", "ECE", "AUROC of no match")
NOTES: Final = (
    "Each question is scored by an index that was fitted without its fold and by a second stage that "
    "was fitted without its part. *@1 of few*: of questions whose original has two known duplicates "
    "or fewer, as the others were withheld. *AUROC of no match*: the best score as a test of whether "
    "the right original is known, against the same questions without it."
)
VARIANTS: Final = (
    Variant("as served", (), _served),
    Variant("without the network", ("network",), _served),
    Variant("without the linear topics", ("topic",), _served),
    Variant("without both", ("topic", "network"), _served),
    Variant("without views of single duplicates", ("duplicate_",), _served),
    Variant("without families", ("family_",), _served),
    Variant("without answers", ("answer_",), _served),
    Variant("without counts of duplicates", ("duplicates", "without_duplicates"), _served),
    Variant("never thinned out", (), _without_thinned),
    Variant("not calibrated afterwards", (), _not_calibrated),
    Variant("no questions without a match", (), _without_unmatched),
    Variant("pair by pair, as it was before", ("network",), _pairwise),
    Variant("the topic alone", (), _alone("topic")),
    Variant("the network alone", (), _alone("network")),
    Variant("the nearest duplicates alone", (), _alone("duplicate_mean")),
    Variant("the original's words alone", (), _alone("word")),
)
