"""`corpus`: the files of the repository's own corpus, from their sources."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from services.faq.corpus.build import build_files, stale_files, write_files
from services.faq.corpus.promises import broken_promises
from services.faq.corpus.topics import CorpusError, read_topics
from services.faq.settings import CorpusSettings
from services.serving.command_line import CommandFailed

CORPUS: Final = Path(__file__).parent


def run_corpus(settings: CorpusSettings) -> None:
    """Check the corpus, or write its files.

    Raises:
        CommandFailed: the sources break a promise, or the files do not say what they say.
    """
    try:
        questions = read_topics()
    except CorpusError as error:
        raise CommandFailed(str(error)) from None
    if broken := broken_promises(questions):
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        raise CommandFailed(broken[0] + more)
    files = build_files(questions)
    if settings.write:
        write_files(files, CORPUS)
    elif stale := stale_files(files, CORPUS):
        raise CommandFailed(
            f"{', '.join(stale)}: not what the sources say; run "
            "python -m services.faq corpus --write"
        )
    duplicates = sum(len(question.duplicate) for question in questions)
    print(f"{len(questions)} questions, {duplicates} duplicates")
