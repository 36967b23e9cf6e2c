"""The whole evaluation of a model: every figure of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from services.faq.evaluation.abstention import NoMatch
from services.faq.evaluation.baselines.baseline import Baseline
from services.faq.evaluation.comparison import Comparison, Step, compare
from services.faq.evaluation.latency import Latency
from services.faq.evaluation.questions import HeldOut
from services.faq.evaluation.unmatched import ask_unmatched
from services.faq.evaluation.withholding import KEPT, Trainer, WithheldPoint, withheld_curve
from services.faq.ranking import Scorer
from services.faq.training import TooLittleData

BESIDE_THE_CURVE: Final = frozenset({"linear_svm", "nearest_neighbour", "tfidf_cosine"})
"""Baselines that are fitted again for every point of the curve."""


@dataclass(frozen=True)
class Evaluation:
    """What a model reaches on questions that it has not learnt from."""

    comparison: Comparison
    withheld: list[WithheldPoint] | None = None
    no_match: NoMatch | None = None
    latency: Latency | None = None
    notes: tuple[str, ...] = ()
    """What could not be measured, and why."""

    def document(self) -> dict[str, Any]:
        """Return all figures as JSON has them."""
        return {
            **self.comparison.document(),
            "withheld": [asdict(point) for point in self.withheld] if self.withheld else None,
            "no_match": asdict(self.no_match) if self.no_match else None,
            "latency": asdict(self.latency) if self.latency else None,
            "notes": list(self.notes),
        }


def evaluate(
    scorer: Scorer,
    held_out: HeldOut,
    baselines: Sequence[Baseline],
    seed: int,
    *,
    trainer: Trainer | None = None,
    step: Step = lambda _: None,
) -> Evaluation:
    """Ask the model and its baselines, and train again for what one model cannot show.

    Args:
        scorer: a model that has not learnt from the held-out questions.
        held_out: the questions, and what may be learnt from.
        baselines: what it is compared with.
        seed: of samples and intervals.
        trainer: trains models with less data, for the curve of withheld duplicates and for
            questions without a match; left out, there is neither.
        step: told what is done next.
    """
    comparison = compare(scorer, held_out, baselines, seed, step)
    if trainer is None:
        return Evaluation(comparison)
    notes: list[str] = []
    beside = [baseline for baseline in baselines if baseline.key in BESIDE_THE_CURVE]
    withheld = withheld_curve(held_out, trainer, beside, seed, step)
    missing = sorted(set(KEPT) - {point.kept for point in withheld})
    if missing:
        counts = ", ".join(map(str, missing))
        notes.append(f"too little is left to train on with at most {counts} duplicates an original")
    unmatched = None
    step("questions without a match")
    try:
        unmatched = ask_unmatched(held_out, trainer, seed)
    except TooLittleData as error:
        notes.append(f"no questions without a match: {error}")
    return Evaluation(comparison, withheld, unmatched, None, tuple(notes))
