"""Reading the three files of the predecessor's format, line by line, trusting nothing.

Gzip, UTF-8, tab-separated, no header, no quoting: `orig-q.tsv.gz` and `dup-q.tsv.gz` have the
columns Id, AnswerId, Text0, CreationDate; `ans.tsv.gz` has Id, Text0. A data set that comes with a
split of its own has `dup-meta.tsv.gz` too: Id, AnswerId, label, part.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ORIGINALS_FILE: Final = "orig-q.tsv.gz"
DUPLICATES_FILE: Final = "dup-q.tsv.gz"
ANSWERS_FILE: Final = "ans.tsv.gz"
FILES: Final = (ORIGINALS_FILE, DUPLICATES_FILE, ANSWERS_FILE)
SPLIT_FILE: Final = "dup-meta.tsv.gz"

LONGEST_LINE: Final = 1 << 18
"""Bytes of the longest line that is read; the longest text of the predecessor's data has 4,000."""
MOST_LINES: Final = 5_000_000


class DataError(Exception):
    """Data that cannot be used; the message is one line that names the file and the line."""


@dataclass(frozen=True)
class QuestionRecord:
    """One line of `orig-q.tsv.gz` or `dup-q.tsv.gz`; `text0` is title + ". " + HTML body."""

    id: int
    answer_id: int
    text0: str
    created: str


@dataclass(frozen=True)
class AnswerRecord:
    """One line of `ans.tsv.gz`."""

    id: int
    html: str


@dataclass(frozen=True)
class Records:
    """All lines of the three files, in the order of the files."""

    originals: list[QuestionRecord]
    duplicates: list[QuestionRecord]
    answers: list[AnswerRecord]


def read_records(folder: Path) -> Records:
    """Read the three files of `folder`.

    Raises:
        DataError: a file is missing, is not gzip or UTF-8, or a line has not the right columns.
    """
    return Records(
        originals=list(_read_questions(folder / ORIGINALS_FILE)),
        duplicates=list(_read_questions(folder / DUPLICATES_FILE)),
        answers=list(_read_answers(folder / ANSWERS_FILE)),
    )


def read_own_split(folder: Path) -> dict[int, str]:
    """Return the part of the data's own split that each duplicate is in; empty without such a file.

    Raises:
        DataError: the file is not gzip or UTF-8, or a line has not the right columns.
    """
    path = folder / SPLIT_FILE
    if not path.exists():
        return {}
    return {
        _id(path, number, "Id", fields[0]): fields[3]
        for number, fields in _read_lines(path, columns=4)
    }


def _read_questions(path: Path) -> Iterator[QuestionRecord]:
    for number, fields in _read_lines(path, columns=4):
        yield QuestionRecord(
            id=_id(path, number, "Id", fields[0]),
            answer_id=_id(path, number, "AnswerId", fields[1]),
            text0=fields[2],
            created=fields[3],
        )


def _read_answers(path: Path) -> Iterator[AnswerRecord]:
    for number, fields in _read_lines(path, columns=2):
        yield AnswerRecord(id=_id(path, number, "Id", fields[0]), html=fields[1])


def _read_lines(path: Path, *, columns: int) -> Iterator[tuple[int, list[str]]]:
    for number, line in _raw_lines(path):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path}: line {number}: is not UTF-8 (byte {error.start + 1} of the line)"
            ) from None
        fields = text.split("\t")
        if len(fields) != columns:
            raise DataError(f"{path}: line {number}: has {len(fields)} columns, expected {columns}")
        yield number, fields


def _raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with decompressed(path) as stream:
        for number in range(1, MOST_LINES + 2):
            line = stream.readline(LONGEST_LINE + 1)
            if not line:
                return
            if len(line) > LONGEST_LINE:
                raise DataError(f"{path}: line {number}: is longer than {LONGEST_LINE:,} bytes")
            yield number, line.rstrip(b"\r\n")
    raise DataError(f"{path}: has more than {MOST_LINES:,} lines")


@contextmanager
def decompressed(path: Path) -> Iterator[gzip.GzipFile]:
    """Open a gzip file to be read.

    Raises:
        DataError: it is missing, damaged or cut off, or cannot be read; found out while reading too.
    """
    try:
        with gzip.open(path, "rb") as stream:
            yield stream
    except FileNotFoundError:
        raise DataError(f"{path}: is missing") from None
    except (gzip.BadGzipFile, zlib.error):
        raise DataError(f"{path}: is not a gzip file, or is damaged") from None
    except EOFError:
        raise DataError(f"{path}: ends too early; the file is not complete") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


def _id(path: Path, line: int, column: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise DataError(f"{path}: line {line}: {column} is not a whole number")
    return int(text)
