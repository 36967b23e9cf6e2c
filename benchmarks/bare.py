"""An FAQ without known duplicates, or with a handful: what is a second stage worth that is borrowed?

The held-out questions of each data set are asked while the training knows no duplicate, or a few; the
second stage is learnt from the other set.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.matcher import HOLD_OUT, SEED, calibration_error, folders, show_progress
from benchmarks.result import Result, Table
from services.faq.data import DataSet, read_data
from services.faq.evaluation.baselines.baseline import Baseline
from services.faq.evaluation.baselines.simple import nearest_neighbour, plain_cosine
from services.faq.evaluation.comparison import ask, ask_baseline
from services.faq.evaluation.outcomes import Outcomes
from services.faq.evaluation.questions import HeldOut, held_out, with_duplicates
from services.faq.known import Known, known_texts
from services.faq.split import split_data
from services.faq.training import train

KNOWN: Final = (0, 10, 40)
"""How many duplicates are known in all, drawn from all training questions."""
MOST_LENT: Final = 1_687
"""Duplicates that a lender has, as many as the corpus."""
MOST_ASKED: Final = 1_000
BASELINES: Final = (
    Baseline("cosine", "TF-IDF cosine", plain_cosine),
    Baseline("neighbour", "TF-IDF nearest neighbour", nearest_neighbour),
)
COLUMNS: Final = ("known duplicates", "matcher", "@1", "@3", "mean best score", "ECE")
NOTES: Final = (
    f"At most {MOST_ASKED:,} held-out questions of each set are asked. *Borrowed*: the second stage, its "
    "calibration and the threshold are learnt from the other set, whose originals keep as few "
    "duplicates. *Its own*: learnt from the known duplicates, as `train` does without `--borrow`.",
)


def run() -> Result:
    """Ask the questions of each data set, with the second stage of the other."""
    sets = {name: read_data(folder) for name, folder in folders()}
    lenders = {name: known_texts(_sample(data, MOST_LENT)) for name, data in sets.items()}
    tables: list[Table] = []
    with threadpool_limits(limits=1):
        for name, data in sets.items():
            others = [lender for other, lender in lenders.items() if other != name]
            asked = held_out(data, split_data(data, HOLD_OUT, SEED), SEED, most=MOST_ASKED)
            rows = [row for lender in others for row in _rows(asked, lender)]
            title = f"{name}: {len(asked.asked)} held-out questions"
            tables.append(Table(title, COLUMNS, rows))
    return Result(
        name="bare",
        title="An FAQ with no known duplicates, or a handful",
        notes=NOTES,
        tables=tables,
        targets=(),
    )


def _rows(asked: HeldOut, lender: Known) -> Iterator[list[str]]:
    for count in KNOWN:
        data = _sample(asked.training, count)
        known, originals = known_texts(data), len(data.originals)
        stages = {
            "second stage borrowed": lender,
            **({"second stage its own": None} if count else {}),
        }
        for title, lent in stages.items():
            scorer = train(known, SEED, show_progress, lender=lent).scorer
            yield _row(count, title, ask(scorer, asked.texts, asked.owners, originals))
        for baseline in BASELINES:
            found = ask_baseline(baseline, data, asked.texts, asked.owners)
            yield _row(count, baseline.title, found)


def _sample(data: DataSet, count: int) -> DataSet:
    chosen = np.random.default_rng(SEED).permutation(len(data.duplicates))[:count]
    return with_duplicates(data, np.sort(chosen))


def _row(count: int, title: str, found: Outcomes) -> list[str]:
    shares = [f"{(found.ranks <= places).mean():.1%}" for places in (1, 3)]
    if not found.is_probability:
        return [str(count), title, *shares, "–", "–"]
    error = calibration_error(found.best_scores, found.is_right)
    return [str(count), title, *shares, f"{found.best_scores.mean():.2f}", f"{error:.1%}"]
