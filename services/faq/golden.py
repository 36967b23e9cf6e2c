"""A golden set: questions whose answers must not change, whatever a new model is better at."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from services.faq.analysis import terms_of_all_posted
from services.faq.ranking import Scorer
from services.faq.records import DataError
from services.faq.source_ids import normalised, number_of

GOLDEN_FILE: Final = "golden.jsonl"
_LONGEST_LINE: Final = 1 << 18
_MOST_LINES: Final = 10_000


class GoldenQuestion(BaseModel):
    """A question, and the original that must be among the first places for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str = Field(min_length=1)
    original: int | str
    """Id of the original; where it was imported with a text as its id, that text."""
    within: int = Field(1, ge=1)
    """Among how many first places."""

    @field_validator("original")
    @classmethod
    def usable_id(cls, value: int | str) -> int | str:
        """Refuse a text that can be no id."""
        return normalised(value) if isinstance(value, str) else value

    @property
    def original_id(self) -> int:
        """The number that data and models have for the original."""
        return number_of(self.original) if isinstance(self.original, str) else self.original


@dataclass(frozen=True)
class GoldenSet:
    """The questions, in the order of the file's lines."""

    questions: Sequence[GoldenQuestion]
    sha256: str


@dataclass(frozen=True)
class Miss:
    """A golden question that a model does not answer as it must."""

    line: int
    original: int | str
    within: int
    rank: int | None
    """Where the original is instead; None if it is not ranked at all."""

    def __str__(self) -> str:
        where = f"is at place {self.rank}" if self.rank else "is not ranked"
        return (
            f"line {self.line}: original {self.original} {where}, not among the first {self.within}"
        )


def golden_file(data: Path, given: Path | None) -> Path | None:
    """Return the golden set that is given, else the one beside the data, if there is one."""
    if given:
        return given
    beside = data / GOLDEN_FILE
    return beside if beside.exists() else None


def read_golden(path: Path) -> GoldenSet:
    """Read a golden set: a JSON object a line, with `question`, `original` and, if not 1, `within`.

    Raises:
        DataError: the file cannot be read, or a line is no golden question. The message names the
            line, and says nothing of the text in it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    lines = content.splitlines()
    if len(lines) > _MOST_LINES:
        raise DataError(f"{path}: has more than {_MOST_LINES:,} lines")
    questions = [_question(path, number, line) for number, line in enumerate(lines, 1)]
    if not questions:
        raise DataError(f"{path}: has no questions")
    return GoldenSet(questions, hashlib.sha256(content).hexdigest())


def misses(golden: GoldenSet, scorer: Scorer, original_ids: Sequence[int]) -> list[Miss]:
    """Ask a model the golden questions and return those that it does not answer as it must.

    Args:
        golden: the questions.
        scorer: the model.
        original_ids: ids of its originals, by position.
    """
    rankings = scorer.rank(terms_of_all_posted([each.question for each in golden.questions]))
    missed: list[Miss] = []
    pairs = zip(golden.questions, rankings, strict=True)
    for line, (question, ranking) in enumerate(pairs, 1):
        ranked = [original_ids[position] for position in ranking.positions]
        wanted = question.original_id
        rank = ranked.index(wanted) + 1 if wanted in ranked else None
        if rank is None or rank > question.within:
            missed.append(Miss(line, question.original, question.within, rank))
    return missed


def _question(path: Path, number: int, line: bytes) -> GoldenQuestion:
    if len(line) > _LONGEST_LINE:
        raise DataError(f"{path}: line {number}: is longer than {_LONGEST_LINE:,} bytes")
    try:
        return GoldenQuestion.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        reason = "is not JSON" if first["type"] == "json_invalid" else f"{place}: {first['msg']}"
        raise DataError(f"{path}: line {number}: {reason}") from None
