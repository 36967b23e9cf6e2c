"""What known duplicates are worth: the figures when all but a few of them are withheld.

Every point is a training of its own, of the model and of the baselines alike, and is asked the very
same questions. With none, there is nothing to learn from what duplicates look like, so the
originals are halved: each half is asked about while it has no duplicates and the other half has all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.faq.data import DataSet
from services.faq.evaluation.baselines.baseline import Baseline
from services.faq.evaluation.bootstrap import Estimate
from services.faq.evaluation.comparison import MODEL, Step, ask, ask_baseline, broken_down
from services.faq.evaluation.outcomes import Outcomes, joined
from services.faq.evaluation.questions import HeldOut, at_most, with_duplicates
from services.faq.ranking import Scorer
from services.faq.training import TooLittleData

KEPT: Final = (0, 1, 2, 5, 10)
TRAININGS: Final = len(KEPT) + 1
"""How often the model is trained for the curve."""

Trainer = Callable[[DataSet], Scorer]
"""Trains a model on a data set, as the evaluated one was trained."""


@dataclass(frozen=True)
class WithheldPoint:
    """Figures of the matchers when each original keeps at most `kept` duplicates."""

    kept: int
    known_duplicates: int
    """How many are left to learn from, of all originals."""
    matchers: dict[str, dict[str, Estimate]]


def withheld_curve(
    held_out: HeldOut,
    trainer: Trainer,
    baselines: Sequence[Baseline],
    seed: int,
    step: Step = lambda _: None,
    kept: Sequence[int] = KEPT,
) -> list[WithheldPoint]:
    """Train and ask anew for each count of kept duplicates.

    Args:
        held_out: the questions, and what may be learnt from.
        trainer: trains the model.
        baselines: whose figures are shown beside; those that are too large for the data are not.
        seed: of what is kept, and of the intervals.
        step: told what is done next, once for each training.
        kept: counts of duplicates.

    Returns:
        A point for each count, but for those that leave too little to train on.
    """
    able = [each for each in baselines if not each.not_fitted(held_out.training)]
    points: list[WithheldPoint] = []
    for count in kept:
        with suppress(TooLittleData):
            points.append(_point(held_out, trainer, able, count, seed, step))
    return points


def _point(
    held_out: HeldOut,
    trainer: Trainer,
    baselines: Sequence[Baseline],
    kept: int,
    seed: int,
    step: Step,
) -> WithheldPoint:
    parts: dict[str, list[Outcomes]] = {MODEL: [], **{each.key: [] for each in baselines}}
    lots = _lots(held_out, kept, seed)
    known = 0
    for number, (training, chosen) in enumerate(lots, 1):
        step(f"{kept} known duplicates" if kept else f"no known duplicates, half {number}")
        texts = [held_out.texts[each] for each in chosen]
        owners = held_out.owners[chosen]
        parts[MODEL].append(ask(trainer(training), texts, owners, len(training.originals)))
        for baseline in baselines:
            parts[baseline.key].append(ask_baseline(baseline, training, texts, owners))
        known += len(training.duplicates) if kept else 0
    in_order = np.argsort(np.concatenate([chosen for _, chosen in lots]))
    figures = {
        key: broken_down(joined(outcomes).only(in_order), seed) for key, outcomes in parts.items()
    }
    return WithheldPoint(kept, known, figures)


def _lots(held_out: HeldOut, kept: int, seed: int) -> list[tuple[DataSet, np.ndarray]]:
    """Return what to learn from, and which questions to ask then."""
    training = held_out.training
    if kept:
        return [(at_most(training, kept, seed), np.arange(len(held_out.asked)))]
    half = np.random.default_rng(seed).permutation(len(training.originals)) % 2
    lots = (
        (
            with_duplicates(training, np.flatnonzero(half[training.owners] != side)),
            np.flatnonzero(half[held_out.owners] == side),
        )
        for side in (0, 1)
    )
    return [(known, chosen) for known, chosen in lots if len(chosen)]
