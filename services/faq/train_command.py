"""`train`: from the data to a model folder that has passed the quality gate."""

from __future__ import annotations

import hashlib
import platform
import sys
import time
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any, Final, TypeVar

import numpy as np
from tqdm import tqdm

from services.faq.analysis import terms_of_posted
from services.faq.data import DataSet, Original, read_data
from services.faq.evaluation import Evaluation, cosine_of, evaluate
from services.faq.known import known_texts
from services.faq.quality_gate import QualityGateFailed, check_quality
from services.faq.records import DataError
from services.faq.report import table
from services.faq.settings import TrainSettings
from services.faq.source import data_folder
from services.faq.split import Split, split_holdout
from services.faq.storage import KIND, Example, StoredModel, save_model
from services.faq.stored_originals import StoredOriginal, StoredOriginals
from services.faq.training import TooLittleData, Trained, train
from services.serving.command_line import CommandFailed
from services.serving.model_folder import ModelFolderError, new_model_folder

EXAMPLES: Final = 8
"""Questions whose rankings are kept for the service to compare its own with before it is ready."""
EXAMPLE_PLACES: Final = 5

_LIBRARIES: Final = ("numpy", "scipy", "scikit-learn")
Step = TypeVar("Step")


def run_train(settings: TrainSettings) -> None:
    """Train, evaluate, and write the model folder.

    Raises:
        CommandFailed: the data cannot be used, or the model does not pass the quality gate.
    """
    started = time.monotonic()
    try:
        folder = data_folder(settings.data, settings.downloads, settings.sha256)
        data = read_data(folder, min_text=settings.min_text, min_duplicates=settings.min_duplicates)
        _tell(_counted(data))
        known = known_texts(data)
        split = split_holdout(data.owners, settings.holdout, settings.seed)
        trained = train(known.with_only(split.training), settings.seed, _progress)
        evaluation = evaluate(trained.scorer, data, known, split) if len(split.held_out) else None
        _check(settings, data, split, trained, evaluation)
        _write(settings, data, split, trained, evaluation)
    except (DataError, TooLittleData, QualityGateFailed, ModelFolderError) as error:
        raise CommandFailed(str(error)) from None
    if evaluation:
        print(table(evaluation.figures()))
    _tell(f"{settings.model}: written after {time.monotonic() - started:.0f} s")


def _check(
    settings: TrainSettings,
    data: DataSet,
    split: Split,
    trained: Trained,
    evaluation: Evaluation | None,
) -> None:
    """Hold the gate on held-out questions, or on the cross-validated ones if none are held out."""
    if evaluation:
        check_quality(evaluation.accuracy, evaluation.cosine, settings.min_accuracy)
    else:
        cosine = cosine_of(data, split.training)
        check_quality(trained.cross_validated, cosine, settings.min_accuracy)


def _write(
    settings: TrainSettings,
    data: DataSet,
    split: Split,
    trained: Trained,
    evaluation: Evaluation | None,
) -> None:
    model = StoredModel(
        scorer=trained.scorer,
        originals=_originals(data, settings.url_template),
        examples=_examples(data, split, trained),
    )
    with new_model_folder(
        settings.model,
        kind=KIND,
        name=settings.name,
        version=settings.version or _version(settings, data),
    ) as draft:
        save_model(model, draft.folder)
        draft.details.update(_details(settings, data, split, trained, evaluation))


def _originals(data: DataSet, url_template: str) -> StoredOriginals:
    return StoredOriginals.of(
        StoredOriginal(
            id=original.id,
            answer_id=original.answer_id,
            title=original.title,
            url=url_template.replace("{id}", str(original.id)) or _address(original),
            html=original.html,
            answer_html=original.answer_html,
            attribution=original.attribution,
            answer_attribution=original.answer_attribution,
        )
        for original in data.originals
    )


def _address(original: Original) -> str | None:
    return original.attribution.url if original.attribution else None


def _examples(data: DataSet, split: Split, trained: Trained) -> tuple[Example, ...]:
    spread = np.linspace(0, len(split.training) - 1, EXAMPLES).astype(int)
    texts = [data.duplicates[number].text.prose for number in split.training[spread]]
    rankings = trained.scorer.rank([terms_of_posted(text) for text in texts])
    return tuple(
        Example(
            text=text,
            first=tuple(
                (data.originals[number].id, float(score))
                for number, score in zip(
                    ranking.positions[:EXAMPLE_PLACES], ranking.scores[:EXAMPLE_PLACES], strict=True
                )
            ),
        )
        for text, ranking in zip(texts, rankings, strict=True)
    )


def _details(
    settings: TrainSettings,
    data: DataSet,
    split: Split,
    trained: Trained,
    evaluation: Evaluation | None,
) -> dict[str, Any]:
    return {
        "data": {
            "sha256": data.sha256,
            "originals": len(data.originals),
            "duplicates": len(data.duplicates),
            "training_duplicates": len(split.training),
            "held_out_duplicates": len(split.held_out),
            "dropped": data.dropped,
        },
        "settings": _lasting(settings),
        "held_out": evaluation.figures() if evaluation else None,
        "cross_validated_accuracy_at_1": trained.cross_validated.accuracy_at_1,
        "low_signal_below": trained.scorer.low_signal_below,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def _lasting(settings: TrainSettings) -> dict[str, Any]:
    """Return the settings that decide what the model is."""
    names = {"seed", "holdout", "min_text", "min_duplicates", "url_template"}
    return settings.model_dump(include=names)


def _version(settings: TrainSettings, data: DataSet) -> str:
    content = f"{data.sha256} {sorted(_lasting(settings).items())}"
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _counted(data: DataSet) -> str:
    dropped = "".join(f", {count} {reason} left out" for reason, count in data.dropped.items())
    return f"{len(data.originals)} originals, {len(data.duplicates)} duplicates{dropped}"


def _progress(steps: Iterable[Step], what: str) -> Iterable[Step]:
    return tqdm(steps, desc=what, disable=None, leave=False)


def _tell(line: str) -> None:
    print(line, file=sys.stderr)
