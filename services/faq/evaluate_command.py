"""`evaluate`: the held-out figures of a model folder, computed anew."""

from __future__ import annotations

import orjson

from services.faq.data import read_data
from services.faq.evaluation import Evaluation, evaluate
from services.faq.known import known_texts
from services.faq.records import DataError
from services.faq.report import table
from services.faq.settings import EvaluateSettings
from services.faq.source import data_folder
from services.faq.split import split_holdout
from services.faq.storage import KIND, load_model
from services.serving.command_line import CommandFailed
from services.serving.model_folder import Manifest, ModelFolderError, read_model_folder


def run_evaluate(settings: EvaluateSettings) -> None:
    """Print the figures of the model on the questions that its training held out.

    Raises:
        CommandFailed: the model or the data cannot be used, or are not of each other.
    """
    try:
        manifest = read_model_folder(settings.model, kind=KIND)
        evaluation = _evaluate(settings, manifest)
    except (DataError, ModelFolderError) as error:
        raise CommandFailed(str(error)) from None
    figures = evaluation.figures()
    if settings.json:
        model = {"name": manifest.name, "version": manifest.version}
        print(orjson.dumps({"model": model, **figures}, option=orjson.OPT_INDENT_2).decode())
    else:
        print(table(figures))


def _evaluate(settings: EvaluateSettings, manifest: Manifest) -> Evaluation:
    trained_with = manifest.details["settings"]
    if not trained_with["holdout"]:
        raise DataError(f"{settings.model}: was trained on everything; nothing was held out")
    data = read_data(
        data_folder(settings.data, settings.downloads, settings.sha256),
        min_text=trained_with["min_text"],
        min_duplicates=trained_with["min_duplicates"],
    )
    if data.sha256 != manifest.details["data"]["sha256"]:
        raise DataError(
            f"{settings.data}: is not the data that {settings.model} was trained on, so what was "
            "held out cannot be told"
        )
    split = split_holdout(data.owners, trained_with["holdout"], trained_with["seed"])
    if not len(split.held_out):
        raise DataError(f"{settings.model}: no original has two duplicates; nothing was held out")
    return evaluate(load_model(settings.model).scorer, data, known_texts(data), split)
