"""`train`: from the data to a model folder that has passed the quality gate."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tqdm import tqdm

from services.faq.borrowed import CORPUS, lender
from services.faq.data import DataSet, read_data
from services.faq.embedding import Embedding, embedding_of
from services.faq.evaluation.baselines.all import predecessor_baseline, simple_baselines
from services.faq.evaluation.comparison import Comparison, compare
from services.faq.evaluation.questions import HeldOut, held_out
from services.faq.evaluation.report.lines import evaluation_lines
from services.faq.golden import GoldenSet, golden_file, misses, read_golden
from services.faq.learnt_from import write_learnt
from services.faq.model_card import (
    BORROWED,
    EVERYTHING,
    TRAINING_PART,
    Verdict,
    card_details,
    split_details,
    write_card,
)
from services.faq.quality_gate import Limits, QualityGateFailed, failures, golden_failures
from services.faq.ranking import Scorer
from services.faq.served_model import ServedComparison, compare_with_served
from services.faq.settings import TrainSettings
from services.faq.source import data_folder
from services.faq.split import Split, split_data
from services.faq.storage import KIND, save_model
from services.faq.training_run import CANNOT_TRAIN, show_progress, stored_model, tell, train_on
from services.serving.command_line import CommandFailed
from services.serving.model_folder import new_model_folder, refuse_foreign_folder

UNKNOWN: Final = "nothing could be held out, so how good it is cannot be known"


@dataclass(frozen=True)
class _Run:
    """What a training has to go by."""

    settings: TrainSettings
    data: DataSet
    split: Split
    golden: GoldenSet | None
    embedding: Embedding | None


@dataclass(frozen=True)
class _Candidate:
    """A model that may be written."""

    scorer: Scorer
    learnt: DataSet
    comparison: Comparison | None


def run_train(settings: TrainSettings) -> None:
    """Train, evaluate, and write the model folder.

    Raises:
        CommandFailed: the data cannot be used, or the model does not pass the quality gate.
    """
    started = time.monotonic()
    try:
        run = _prepare(settings)
        candidate = _train(run)
        verdict = _judge(run, candidate)
        _write(run, candidate, verdict)
    except (*CANNOT_TRAIN, QualityGateFailed) as error:
        raise CommandFailed(str(error)) from None
    if candidate.comparison:
        print(evaluation_lines(candidate.comparison.document()))
    else:
        print(f"not evaluated: {UNKNOWN}")
    tell(f"{settings.model}: written after {time.monotonic() - started:.0f} s")


def _prepare(settings: TrainSettings) -> _Run:
    refuse_foreign_folder(settings.model, KIND)
    folder = data_folder(settings.data, settings.downloads, settings.sha256)
    golden = golden_file(folder, settings.golden)
    known = read_golden(golden) if golden else None
    data = read_data(
        folder,
        min_text=settings.min_text,
        min_duplicates=settings.kept_duplicates,
        need_duplicates=not settings.borrow,
    )
    tell(_counted(data))
    if settings.borrow:
        tell(f"second stage: {BORROWED}")
    split = split_data(data, settings.evaluated_holdout, settings.seed, settings.split)
    return _Run(settings, data, split, known, embedding_of(settings.embedding, show_progress))


def _train(run: _Run) -> _Candidate:
    """Train without what is held out and evaluate that; then on everything, where that is asked."""
    questions = _questions(run)
    learnt = questions.training if questions else run.data
    scorer = _trained(run, learnt)
    comparison = None
    if questions:
        comparison = _compared(run, scorer, questions)
    if questions and not run.settings.holdout:
        learnt = run.data
        scorer = _trained(run, learnt)
    return _Candidate(scorer, learnt, comparison)


def _trained(run: _Run, learnt: DataSet) -> Scorer:
    return train_on(learnt, run.settings.seed, run.embedding, borrow=run.settings.borrow).scorer


def _compared(run: _Run, scorer: Scorer, questions: HeldOut) -> Comparison:
    """Ask the model and the baselines of the gate."""
    seed, trees = run.settings.seed, run.settings.predecessor_trees
    with tqdm(total=trees, desc="trees", disable=None, leave=False) as bar:
        baselines = (predecessor_baseline(seed, trees, bar.update), *simple_baselines(seed))
        return compare(scorer, questions, baselines, seed, _step)


def _questions(run: _Run) -> HeldOut | None:
    return held_out(run.data, run.split, run.settings.seed) if len(run.split.held_out) else None


def _judge(run: _Run, candidate: _Candidate) -> Verdict:
    """Hold the gate.

    Raises:
        QualityGateFailed: something speaks against the model, and the gate is not overruled.
    """
    settings = run.settings
    limits = Limits(settings.min_accuracy, settings.max_calibration_error)
    served, found = None, [UNKNOWN]
    if candidate.comparison:
        comparison = candidate.comparison
        served = compare_with_served(
            settings.model, comparison.model, comparison.held_out, settings.seed
        )
        found = failures(comparison, limits, served)
    if run.golden:
        ids = [original.id for original in candidate.learnt.originals]
        missed = misses(run.golden, candidate.scorer, ids)
        found += golden_failures(missed, len(run.golden.questions))
    _tell_of_gate(found, candidate.comparison, served, settings)
    if found and not settings.force:
        raise QualityGateFailed("; ".join(found) + "; no model was written")
    return Verdict(found, settings.reason.strip(), limits, served, run.golden)


def _tell_of_gate(
    found: Sequence[str],
    comparison: Comparison | None,
    served: ServedComparison | None,
    settings: TrainSettings,
) -> None:
    for result in comparison.results if comparison else ():
        if result.outcomes is None:
            tell(f"{result.title} was not compared: {result.note}")
    if served and served.note:
        tell(f"the model in place was not compared: {served.note}")
    if found and settings.force:
        tell(f"the quality gate is overruled ({settings.reason.strip()}): {'; '.join(found)}")


def _write(run: _Run, candidate: _Candidate, verdict: Verdict) -> None:
    settings = run.settings
    version = settings.version or _version(run)
    with new_model_folder(settings.model, kind=KIND, name=settings.name, version=version) as draft:
        save_model(
            stored_model(candidate.scorer, candidate.learnt, settings.url_template), draft.folder
        )
        write_learnt(draft.folder, candidate.learnt.duplicates)
        draft.details.update(_details(run, candidate, verdict))
        write_card(draft.folder, settings.name, version, draft.details)


def _details(run: _Run, candidate: _Candidate, verdict: Verdict) -> dict[str, Any]:
    comparison = candidate.comparison
    asked = len(comparison.held_out.asked) if comparison else 0
    everything = len(candidate.learnt.duplicates) == len(run.data.duplicates)
    return card_details(
        run.data,
        split_details(run.split, run.settings.evaluated_holdout, run.settings.seed, asked),
        _lasting(run.settings),
        EVERYTHING if everything else TRAINING_PART,
        comparison,
        verdict,
    )


def _lasting(settings: TrainSettings) -> dict[str, Any]:
    """Return the settings that decide what the model is."""
    names = {"seed", "holdout", "split", "min_text", "min_duplicates", "embedding", "url_template"}
    lasting = settings.model_dump(mode="json", include=names)
    if not settings.borrow:
        return lasting
    return lasting | {"borrow": True, "corpus_sha256": lender(CORPUS).sha256}


def _version(run: _Run) -> str:
    content = f"{run.data.sha256} {sorted(_lasting(run.settings).items())}"
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _counted(data: DataSet) -> str:
    dropped = "".join(f", {count} {reason} left out" for reason, count in data.dropped.items())
    return f"{len(data.originals)} originals, {len(data.duplicates)} duplicates{dropped}"


def _step(what: str) -> None:
    tell(f"asking: {what}")
