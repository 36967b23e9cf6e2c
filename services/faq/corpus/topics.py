"""Reading the corpus' sources, `topics/*.toml`: questions with their answers and duplicates."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

TOPICS: Final = Path(__file__).parent / "topics"


class CorpusError(Exception):
    """A source of the corpus that is not as it must be; the message is one line."""


class _Source(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class DuplicateSource(_Source):
    """The same question, asked by another person. The body is HTML."""

    title: str = Field(min_length=1)
    body: str = Field(min_length=1)


class QuestionSource(_Source):
    """An original question. Body and answer are HTML."""

    id: int = Field(ge=1, le=99_999)
    created: str = Field(pattern=r"^20\d\d-[01]\d-[0-3]\d$")
    title: str = Field(min_length=1)
    body: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    duplicate: tuple[DuplicateSource, ...] = Field(max_length=99)


class _Topic(_Source):
    question: tuple[QuestionSource, ...]


def read_topics(folder: Path = TOPICS) -> list[QuestionSource]:
    """Read all questions of all topics, sorted by id.

    Raises:
        CorpusError: a file is not TOML or does not fit the format.
    """
    questions: list[QuestionSource] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            questions += _Topic.model_validate(tomllib.loads(path.read_text("utf-8"))).question
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CorpusError(f"{path.name}: {error}") from None
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise CorpusError(f"{path.name}: {place}: {first['msg']}") from None
    return sorted(questions, key=lambda question: question.id)
