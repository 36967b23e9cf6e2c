"""`python -m services.faq`: import, train, add to, evaluate and serve the FAQ model; build the corpus."""

from __future__ import annotations

import sys

from services.faq.import_settings import ImportSettings
from services.faq.settings import (
    AddSettings,
    CorpusSettings,
    EvaluateSettings,
    FaqSettings,
    TrainSettings,
)
from services.serving.command_line import Command, main


def _import(settings: ImportSettings) -> None:
    from services.faq.importing.command import run_import

    run_import(settings)


def _train(settings: TrainSettings) -> None:
    from services.faq.train_command import run_train

    run_train(settings)


def _add(settings: AddSettings) -> None:
    from services.faq.add_command import run_add

    run_add(settings)


def _evaluate(settings: EvaluateSettings) -> None:
    from services.faq.evaluate_command import run_evaluate

    run_evaluate(settings)


def _serve(settings: FaqSettings) -> None:
    from services.faq.app import load
    from services.serving.allocator import keep_freed_memory
    from services.serving.server import serve

    keep_freed_memory()
    serve(settings, load)


def _corpus(settings: CorpusSettings) -> None:
    from services.faq.corpus.command import run_corpus

    run_corpus(settings)


# Each command imports what it needs: training's libraries would cost the service 100 MB of memory.
COMMANDS = (
    Command("import", "make the data from a dump or from your tables", ImportSettings, _import),
    Command("train", "train a model and write its folder", TrainSettings, _train),
    Command("add", "add questions to a model without training it again", AddSettings, _add),
    Command(
        "evaluate", "print a model's figures on held-out questions", EvaluateSettings, _evaluate
    ),
    Command("serve", "serve a model over HTTP", FaqSettings, _serve),
    Command("corpus", "check or write the repository's own corpus", CorpusSettings, _corpus),
)

if __name__ == "__main__":
    sys.exit(main("services.faq", "Which known question does a posted one repeat?", COMMANDS))
