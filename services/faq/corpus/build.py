"""From the corpus' sources to the three files of the data format, the same bytes each time."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from services.faq.corpus.topics import QuestionSource
from services.faq.records import ANSWERS_FILE, DUPLICATES_FILE, ORIGINALS_FILE
from services.faq.stored_text import one_line, text0

ANSWER_ID_OFFSET: Final = 500_000
DUPLICATE_ID_OFFSET: Final = 1_000_000
DUPLICATES_PER_ID: Final = 100


def build_files(questions: Sequence[QuestionSource]) -> dict[str, bytes]:
    """Return the content of the three files by name."""
    originals: list[tuple[object, ...]] = []
    duplicates: list[tuple[object, ...]] = []
    answers: list[tuple[object, ...]] = []
    for question in questions:
        answer_id = question.id + ANSWER_ID_OFFSET
        stored = text0(question.title, question.body)
        originals.append((question.id, answer_id, stored, question.created))
        answers.append((answer_id, one_line(question.answer)))
        first_id = DUPLICATE_ID_OFFSET + question.id * DUPLICATES_PER_ID
        for number, duplicate in enumerate(question.duplicate, 1):
            stored = text0(duplicate.title, duplicate.body)
            duplicates.append((first_id + number, answer_id, stored, ""))
    rows = {ORIGINALS_FILE: originals, DUPLICATES_FILE: duplicates, ANSWERS_FILE: answers}
    return {name: _compressed(lines) for name, lines in rows.items()}


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files, each to a temporary name first."""
    for name, content in files.items():
        unfinished = folder / f".{name}.new"
        unfinished.write_bytes(content)
        unfinished.replace(folder / name)


def stale_files(files: Mapping[str, bytes], folder: Path) -> list[str]:
    """Return the names of the files in `folder` that say something else than `files`.

    What they say is compared, not their bytes: another zlib may compress the same text differently.
    """
    return [name for name, content in files.items() if not _same(folder / name, content)]


def _compressed(rows: Iterable[Sequence[object]]) -> bytes:
    content = "".join("\t".join(map(str, row)) + "\n" for row in rows).encode()
    target = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=target, mtime=0) as stream:
        stream.write(content)
    return target.getvalue()


def _same(path: Path, content: bytes) -> bool:
    try:
        return gzip.decompress(path.read_bytes()) == gzip.decompress(content)
    except (OSError, EOFError):
        return False
