"""Where half of the originals have no duplicate: are they found beside those that have some?

Of the training questions alone, like `benchmarks.matcher`: a part is asked, the rest is learnt from, once
with all duplicates and once without those of either half of the originals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benchmarks.matcher import HOLD_OUT, SEED, calibration_error, folders, show_progress
from benchmarks.result import Result, Table
from services.faq.classifier import Float64s
from services.faq.data import read_data
from services.faq.features import FEATURES
from services.faq.fit_calibration import fit_calibrated
from services.faq.fit_index import fit_index
from services.faq.known import Known, known_texts
from services.faq.ranking import Pairs, pairs_of
from services.faq.split import Positions, split_data, split_holdout
from services.faq.training import CALIBRATION_PARTS, OutOfFold, out_of_fold

SEEDS: Final = (0, 1)
ASKED_SHARE: Final = 0.25
MOST_ASKED: Final = 800


@dataclass(frozen=True)
class Answers:
    """What one second stage answered: for each question the best score, whether its original is right,
    and whether the right one has no duplicate that the index knows."""

    best: Float64s
    is_right: NDArray[np.bool_]
    is_bare: NDArray[np.bool_]


@dataclass(frozen=True)
class Case:
    """An index, and the questions that it is asked."""

    known: Known
    """What the index is made of."""
    held: OutOfFold
    """What the second stages learn from."""
    pairs: Pairs
    owners: Positions
    """Of the questions."""

    def answers(self, scores: Float64s) -> Answers:
        """Sum up the scores of the pairs."""
        places = scores.argmax(axis=1)[:, np.newaxis]
        first = np.take_along_axis(self.pairs.candidates, places, axis=1)[:, 0]
        duplicates = np.bincount(self.known.owners, minlength=len(self.known.originals))
        return Answers(scores.max(axis=1), first == self.owners, duplicates[self.owners] == 0)


def run() -> Result:
    """Ask the questions of each data set with all duplicates, and without those of either half."""
    tables: list[Table] = []
    with threadpool_limits(limits=1):
        for name, folder in folders():
            rows: list[list[str]] = []
            questions = 0
            for seed in tqdm(SEEDS, desc=name, disable=None):
                answers = _answers(folder, seed)
                rows += [[str(seed), *_row(stage, each)] for stage, each in answers.items()]
                questions = len(answers[WHOLE].best)
            tables.append(Table(f"{name}: {questions} training questions a seed", COLUMNS, rows))
    return Result(
        name="half_bare",
        title="Originals without duplicates beside others that have some",
        notes=(NOTES,),
        tables=tables,
        targets=(),
    )


def _answers(folder: Path, seed: int) -> dict[str, Answers]:
    """Return what each second stage answers to the questions of a seed."""
    halves: dict[str, list[Answers]] = {BEFORE: [], SERVED: [], WORDS: []}
    whole, *bare = _cases(folder, seed)
    for case in bare:
        everything = np.ones_like(case.held.is_alternative)
        as_before = replace(case.held, is_alternative=everything)
        halves[BEFORE].append(case.answers(scores_of(as_before, case.pairs)))
        halves[SERVED].append(case.answers(scores_of(case.held, case.pairs)))
        words = case.pairs.features[FEATURES.index("word")].astype(np.float64)
        halves[WORDS].append(case.answers(expit(words)))
    return {
        WHOLE: whole.answers(scores_of(whole.held, whole.pairs)),
        **{name: _joined(parts) for name, parts in halves.items()},
    }


def scores_of(held: OutOfFold, pairs: Pairs) -> Float64s:
    """Fit the second stage as `train` does, and score the pairs."""
    parts = held.questions % CALIBRATION_PARTS
    fitted = fit_calibrated(
        held.features, held.is_match, held.is_alternative, parts, is_asked=~held.is_thinned
    )
    return fitted.probabilities(pairs.features)


def _cases(folder: Path, seed: int) -> Iterator[Case]:
    """Return the case with all duplicates, then those in which either half of the originals has none."""
    data = read_data(folder)
    known = known_texts(data).with_only(split_data(data, HOLD_OUT, SEED).training)
    split = split_holdout(known.owners, ASKED_SHARE, seed)
    asked = np.random.default_rng(seed).permutation(split.held_out)[:MOST_ASKED]
    texts, owners = [known.duplicates[each] for each in asked], known.owners[asked]
    half = np.random.default_rng(seed).permutation(len(known.originals)) % 2
    learnt = known.owners[split.training]
    for kept in (learnt >= 0, half[learnt] == 0, half[learnt] == 1):
        some = known.with_only(split.training[kept])
        held = out_of_fold(some, seed, show_progress)
        yield Case(some, held, pairs_of(fit_index(some, seed), texts), owners)


def _joined(parts: list[Answers]) -> Answers:
    return Answers(
        best=np.concatenate([part.best for part in parts]),
        is_right=np.concatenate([part.is_right for part in parts]),
        is_bare=np.concatenate([part.is_bare for part in parts]),
    )


def _row(name: str, answers: Answers) -> list[str]:
    bare, right = answers.is_bare, answers.is_right
    error = calibration_error(answers.best, right)
    return [
        name,
        f"{right[bare].mean():.1%}" if bare.any() else "–",
        f"{right[~bare].mean():.1%}",
        f"{right.mean():.1%}",
        f"{error:.1%}" if name != WORDS else "–",
    ]


WHOLE: Final = "nothing withheld: as served"
BEFORE: Final = "half without: every original is an alternative"
SERVED: Final = "half without: as served"
WORDS: Final = "half without: the original's words alone"
COLUMNS: Final = ("seed", "second stage", "@1 without", "@1 with", "@1 of both", "ECE")
NOTES: Final = (
    "Half of the originals have no duplicate that the index knows, each half in turn; every question is "
    "asked of both. *@1 without* and *with*: of the questions whose right original has no duplicate, and "
    "of the others. *As served*, an original that has no duplicate in the data is no alternative "
    "in training."
)
