"""`evaluate`: every figure of a model on questions that it has not learnt from."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from services.faq.data import read_data
from services.faq.embedding import embedding_of
from services.faq.embedding_kind import EmbeddingKind
from services.faq.evaluation.baselines.all import predecessor_baseline, simple_baselines
from services.faq.evaluation.baselines.baseline import Baseline
from services.faq.evaluation.evaluate import Evaluation, evaluate
from services.faq.evaluation.latency import LatencyUnknown, measure_latency
from services.faq.evaluation.questions import HeldOut, held_out
from services.faq.evaluation.report.lines import evaluation_lines
from services.faq.evaluation.report.page import document_json, require_place, write_report
from services.faq.evaluation.withholding import TRAININGS, Trainer
from services.faq.learnt_from import is_learnt, read_learnt
from services.faq.model_card import data_details, library_versions, split_details
from services.faq.ranking import Scorer
from services.faq.records import DataError
from services.faq.settings import EvaluateSettings
from services.faq.source import data_folder
from services.faq.split import split_data
from services.faq.split_kind import SplitKind
from services.faq.storage import KIND, load_model, save_model
from services.faq.training_run import CANNOT_TRAIN, show_progress, stored_model, tell, train_on
from services.serving.command_line import CommandFailed, environment_variable
from services.serving.model_folder import Manifest, read_model_folder

UNNAMED: Final = "a model of this data"


@dataclass(frozen=True)
class _Subject:
    """The model that is evaluated."""

    scorer: Scorer
    folder: Path | None
    """Its folder; None for one that is trained for the evaluation."""
    manifest: Manifest | None
    """Of the folder that was asked for, even if the model had to be trained anew."""

    def document(self) -> dict[str, Any]:
        name = self.manifest.name if self.manifest else UNNAMED
        version = self.manifest.version if self.manifest else ""
        if self.folder:
            how = "The model of the folder, as it is."
        elif self.manifest:
            how = (
                "The model of the folder has learnt from held-out questions or knows others; this one "
                "was trained with the same settings, but without the held-out questions."
            )
        else:
            how = "Trained for this evaluation."
        sha256 = self.manifest.sha256 if self.manifest and self.folder else ""
        return {"name": name, "version": version, "sha256": sha256, "how": how}


def run_evaluate(settings: EvaluateSettings) -> None:
    """Print the figures of a model on held-out questions, and write the report.

    Raises:
        CommandFailed: the model or the data cannot be used, or are not of each other.
    """
    if settings.report:
        require_place(settings.report)
    try:
        manifest = read_model_folder(settings.model, kind=KIND) if settings.model else None
        settings = _as_trained(settings, manifest)
        questions = _questions(settings, manifest)
        trainer = _trainer(settings)
        subject = _subject(settings, manifest, questions, trainer)
        document = _document(settings, subject, questions, trainer)
    except CANNOT_TRAIN as error:
        raise CommandFailed(str(error)) from None
    try:
        if settings.report:
            write_report(document, settings.report)
            tell(f"{settings.report / 'report.html'}: written")
    finally:
        # The figures may be the work of hours: they are shown whatever becomes of the report.
        print(document_json(document).decode() if settings.json else evaluation_lines(document))


def _as_trained(settings: EvaluateSettings, manifest: Manifest | None) -> EvaluateSettings:
    """Return the settings with the seed, split and filters of the model."""
    if manifest is None:
        return settings
    try:
        trained, split = manifest.details["settings"], manifest.details["split"]
        found = settings.model_copy(
            update={
                "seed": trained["seed"],
                "holdout": split["share"],
                "split": SplitKind(split["kind"]),
                "min_text": trained["min_text"],
                "min_duplicates": trained["min_duplicates"],
                "borrow": bool(trained.get("borrow", False)),
                "embedding": EmbeddingKind(trained.get("embedding", EmbeddingKind.NONE)),
            }
        )
    except (KeyError, TypeError, ValueError):
        raise DataError(
            f"{settings.model}: does not say how its data was split; train the model again"
        ) from None
    _refuse_another(settings, found)
    return found


def _refuse_another(asked: EvaluateSettings, trained: EvaluateSettings) -> None:
    """Refuse to take the model for one that was trained in another way.

    Raises:
        DataError: something else was given than what it was trained with.
    """
    flags = {
        "borrow": "--borrow" if asked.borrow else "--no-borrow",
        "embedding": f"--embedding {asked.embedding.value}",
    }
    for name, flag in flags.items():
        if name in asked.model_fields_set and getattr(asked, name) != getattr(trained, name):
            raise DataError(
                f"{asked.model}: was not trained with {flag} "
                f"({environment_variable(EvaluateSettings, name)}), so leave that out; without "
                "--model, a model of this data is trained and evaluated"
            )


def _questions(settings: EvaluateSettings, manifest: Manifest | None) -> HeldOut:
    data = read_data(
        data_folder(settings.data, settings.downloads, settings.sha256),
        min_text=settings.min_text,
        min_duplicates=settings.kept_duplicates,
    )
    if manifest and data.sha256 != manifest.details["data"]["sha256"]:
        raise DataError(
            f"{settings.data}: is not the data that {settings.model} was trained on, so what was "
            "held out cannot be told; without --model, a model of this data is trained and evaluated"
        )
    split = split_data(data, settings.evaluated_holdout, settings.seed, settings.split)
    if not len(split.held_out):
        raise DataError(f"{settings.data}: too few duplicates; nothing could be held out")
    return held_out(data, split, settings.seed, most=settings.most_questions)


def _trainer(settings: EvaluateSettings) -> Trainer:
    """Return what trains as the settings say; all that it trains share what the embedding has read."""
    embedding = embedding_of(settings.embedding, show_progress)
    return lambda data: train_on(data, settings.seed, embedding, borrow=settings.borrow).scorer


def _subject(
    settings: EvaluateSettings,
    manifest: Manifest | None,
    questions: HeldOut,
    trainer: Trainer,
) -> _Subject:
    """Return the model of the folder if it has learnt from none of the questions, else train one."""
    if settings.model and manifest:
        asked = [questions.data.duplicates[number] for number in questions.asked]
        if manifest.details.get("added"):
            tell(f"{settings.model}: has had questions added; training one of this data alone")
        elif not is_learnt(read_learnt(settings.model), asked).any():
            return _Subject(load_model(settings.model).scorer, settings.model, manifest)
        else:
            tell(f"{settings.model}: has learnt from held-out questions; training one that has not")
    return _Subject(trainer(questions.training), None, manifest)


def _document(
    settings: EvaluateSettings, subject: _Subject, questions: HeldOut, trainer: Trainer
) -> dict[str, Any]:
    split = split_details(
        questions.split, settings.evaluated_holdout, settings.seed, len(questions.asked)
    )
    evaluation = _evaluated(settings, subject, questions, trainer)
    return {
        "subject": subject.document(),
        "data": data_details(questions.data),
        "split": split,
        **evaluation.document(),
        "libraries": library_versions(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _evaluated(
    settings: EvaluateSettings, subject: _Subject, questions: HeldOut, trainer: Trainer
) -> Evaluation:
    trees = tqdm(total=settings.predecessor_trees, desc="trees", disable=None, leave=False)
    baselines = (
        predecessor_baseline(settings.seed, settings.predecessor_trees, trees.update),
        *simple_baselines(settings.seed),
    )
    with trees, _steps(_step_count(settings, baselines)) as step:
        evaluation = evaluate(
            subject.scorer,
            questions,
            baselines,
            settings.seed,
            trainer=trainer if settings.retrain else None,
            step=step,
        )
        step("latency")
        return _with_latency(evaluation, subject, questions)


def _step_count(settings: EvaluateSettings, baselines: Sequence[Baseline]) -> int:
    return 1 + len(baselines) + (TRAININGS + 1 if settings.retrain else 0) + 1


def _with_latency(evaluation: Evaluation, subject: _Subject, questions: HeldOut) -> Evaluation:
    texts = [f"{text.title} {text.prose} {text.code}".strip() for text in questions.texts]
    try:
        with _folder_of(subject, questions) as folder:
            return replace(evaluation, latency=measure_latency(folder, texts))
    except LatencyUnknown as error:
        return replace(evaluation, notes=(*evaluation.notes, f"no latency: {error}"))


@contextmanager
def _folder_of(subject: _Subject, questions: HeldOut) -> Iterator[Path]:
    if subject.folder:
        yield subject.folder
        return
    with tempfile.TemporaryDirectory(prefix="faq-evaluation.") as name:
        save_model(stored_model(subject.scorer, questions.training, ""), Path(name))
        yield Path(name)


@contextmanager
def _steps(total: int) -> Iterator[Any]:
    """Show which step is done of how many: as a bar, or as lines where there is no terminal."""
    with tqdm(total=total, disable=None, leave=False) as bar:
        began = False

        def step(what: str) -> None:
            nonlocal began
            if bar.disable:
                tell(what)
            bar.update(began)
            bar.set_description(what)
            began = True

        yield step
