"""The model and its baselines, asked the same questions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.faq.analysis import terms_of_all
from services.faq.data import DataSet
from services.faq.evaluation.abstention import coverage_curve
from services.faq.evaluation.baselines.baseline import Baseline, known_text, plain
from services.faq.evaluation.bootstrap import Estimate, difference, estimate
from services.faq.evaluation.calibration import chance_calibration_error, reliability
from services.faq.evaluation.figures import matcher_figures, ranking_figures
from services.faq.evaluation.outcomes import (
    Outcomes,
    outcomes_of_rankings,
    outcomes_of_scores,
)
from services.faq.evaluation.questions import HeldOut
from services.faq.ranking import Scorer
from services.faq.text import CleanText

MODEL: Final = "model"
COMPARED: Final = ("accuracy_at_1", "accuracy_at_3", "mean_reciprocal_rank")
"""Figures that are compared pair by pair, and broken down."""

_FEWEST_QUESTIONS: Final = 50
"""A baseline that could be asked fewer is not asked at all."""
_GROUPS: Final = (
    ("none", 0, 0),
    ("one", 1, 1),
    ("few: 2 to 9", 2, 9),
    ("many: 10 or more", 10, None),
)

Step = Callable[[str], object]
"""Told what is being done."""


@dataclass(frozen=True)
class Result:
    """What one matcher reached, or why it was not asked."""

    key: str
    title: str
    outcomes: Outcomes | None
    asked: NDArray[np.int64]
    """Which of the questions it was asked, by their number in the evaluation."""
    seconds: float
    """How long it took to fit it and to ask it."""
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """All results on the same questions, the model's first."""

    held_out: HeldOut
    model: Outcomes
    """What the model did."""
    results: list[Result]
    seed: int

    def differences(self) -> dict[str, dict[str, Estimate]]:
        """Return by how much the model exceeds each baseline, on the questions that both were asked
        and on the same draws."""
        return {
            result.key: paired_differences(
                self.model.only(result.asked), result.outcomes, self.seed
            )
            for result in self.results[1:]
            if result.outcomes
        }

    def document(self) -> dict[str, Any]:
        """Return all figures as JSON has them."""
        scored = [(result, result.outcomes) for result in self.results if result.outcomes]
        return {
            "matchers": {result.key: self._described(result) for result in self.results},
            "differences": _plain(self.differences()),
            "by_known_duplicates": self._by_known_duplicates(),
            "chance_calibration_error": chance_calibration_error(self.model.best_scores, self.seed),
            "reliability": {
                result.key: [
                    asdict(each)
                    for each in reliability(outcomes.best_scores, outcomes.is_right, self.seed)
                ]
                for result, outcomes in scored
                if outcomes.is_probability
            },
            "coverage": {
                result.key: [asdict(point) for point in coverage_curve(outcomes, self.seed)]
                for result, outcomes in scored
            },
        }

    def summary(self) -> dict[str, Any]:
        """Return the part of the figures that a model's manifest keeps."""
        return {
            "matchers": {
                result.key: {
                    name: value
                    for name, value in self._described(result).items()
                    if name != "seconds"
                }
                for result in self.results
            },
            "differences": _plain(self.differences()),
            "by_known_duplicates": self._by_known_duplicates(),
            "chance_calibration_error": chance_calibration_error(self.model.best_scores, self.seed),
        }

    def _described(self, result: Result) -> dict[str, Any]:
        figures = matcher_figures(result.outcomes, self.seed) if result.outcomes else None
        return {
            "title": result.title,
            "note": result.note,
            "questions": len(result.asked),
            "seconds": result.seconds,
            "figures": _plain(figures),
        }

    def _by_known_duplicates(self) -> list[dict[str, Any]]:
        counts = self.held_out.known_duplicates
        groups: list[dict[str, Any]] = []
        for label, low, high in _GROUPS:
            chosen = (counts >= low) & (counts <= (np.inf if high is None else high))
            if not chosen.any():
                continue
            figures = {
                result.key: broken_down(result.outcomes.only(chosen[result.asked]), self.seed)
                for result in self.results
                if result.outcomes and chosen[result.asked].any()
            }
            groups.append(
                {"label": label, "questions": int(chosen.sum()), "matchers": _plain(figures)}
            )
        return groups


def paired_differences(first: Outcomes, second: Outcomes, seed: int) -> dict[str, Estimate]:
    """Return by how much the first matcher exceeds the second on the same questions."""
    ours, theirs = ranking_figures(first), ranking_figures(second)
    return estimate(
        {name: difference(ours[name], theirs[name]) for name in COMPARED}, len(first), seed
    )


def broken_down(outcomes: Outcomes, seed: int) -> dict[str, Estimate]:
    """Return the figures that are shown of a part of the questions."""
    figures = ranking_figures(outcomes)
    return estimate({name: figures[name] for name in COMPARED}, len(outcomes), seed)


def compare(
    scorer: Scorer,
    held_out: HeldOut,
    baselines: Sequence[Baseline],
    seed: int,
    step: Step = lambda _: None,
) -> Comparison:
    """Ask the model the held-out questions, then fit and ask each baseline.

    Args:
        scorer: a model that has not learnt from the questions.
        held_out: the questions, and what the baselines learn from.
        baselines: what it is compared with.
        seed: of the intervals, and of samples.
        step: told what is done next.
    """
    step(MODEL)
    started = time.monotonic()
    originals = len(held_out.data.originals)
    outcomes = ask(scorer, held_out.texts, held_out.owners, originals)
    everything = np.arange(len(outcomes))
    results = [Result(MODEL, MODEL, outcomes, everything, time.monotonic() - started)]
    for baseline in baselines:
        step(baseline.title)
        results.append(_compared(baseline, held_out, seed))
    return Comparison(held_out, outcomes, results, seed)


def ask(
    scorer: Scorer, texts: Sequence[CleanText], owners: NDArray[np.int64], originals: int
) -> Outcomes:
    """Ask a model questions, of which `owners` has the position of the right original or `NO_MATCH`."""
    return outcomes_of_rankings(scorer.rank(terms_of_all(texts)), owners, originals)


def ask_baseline(
    baseline: Baseline, training: DataSet, texts: Sequence[CleanText], owners: NDArray[np.int64]
) -> Outcomes:
    """Fit a baseline on the training data and ask it questions."""
    return outcomes_of_scores(
        baseline.fit(known_text(training)),
        [plain(text) for text in texts],
        owners,
        len(training.originals),
        is_probability=baseline.is_probability,
    )


def _compared(baseline: Baseline, held_out: HeldOut, seed: int) -> Result:
    originals, questions = len(held_out.data.originals), len(held_out.asked)
    most = (baseline.most_scores or originals * questions) // originals
    left_out = baseline.not_fitted(held_out.training)
    if left_out or (left_out := _not_asked(originals, min(questions, _FEWEST_QUESTIONS), most)):
        nobody = np.zeros(0, np.int64)
        return Result(baseline.key, baseline.title, None, nobody, 0.0, left_out)
    started = time.monotonic()
    asked = np.sort(np.random.default_rng(seed).permutation(questions)[:most])
    texts = [held_out.texts[number] for number in asked]
    outcomes = ask_baseline(baseline, held_out.training, texts, held_out.owners[asked])
    seconds = time.monotonic() - started
    sampled = f"asked {len(asked):,} of the questions" if len(asked) < questions else ""
    note = "; ".join(part for part in (baseline.note, sampled) if part)
    return Result(baseline.key, baseline.title, outcomes, asked, seconds, note)


def _not_asked(originals: int, fewest: int, most: int) -> str:
    """Return why a baseline is not asked, with at most so many questions; empty where it is."""
    if most < fewest:
        return f"not asked: a question takes too long with {originals:,} originals"
    return ""


def _plain(figures: Any) -> Any:
    """Return estimates, in any mapping of them, as JSON has them."""
    if isinstance(figures, Estimate):
        return asdict(figures)
    if isinstance(figures, dict):
        return {name: _plain(each) for name, each in figures.items()}
    return figures
