"""What the corpus promises of itself, so that figures measured on it mean something."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from services.faq.corpus.topics import DuplicateSource, QuestionSource
from services.faq.text import CleanText, clean_stored

FEWEST_QUESTIONS: Final = 100
FEWEST_DUPLICATES: Final = 8
ORIGINAL_LENGTHS: Final = (150, 900)
DUPLICATE_LENGTHS: Final = (40, 900)
"""Shortest and longest title and prose, in characters."""
LONGEST_TEXT: Final = 4_000
"""Characters of title and HTML, as in the data that the format comes from."""

_LEAK: Final = re.compile(
    r"possible duplicate|exact duplicate|already has an answer", re.IGNORECASE
)


def broken_promises(questions: Sequence[QuestionSource]) -> list[str]:
    """Return one line for each promise that is broken; none is the aim."""
    return [*_of_the_whole(questions), *(line for each in questions for line in _of_one(each))]


def _of_the_whole(questions: Sequence[QuestionSource]) -> Iterator[str]:
    if len(questions) < FEWEST_QUESTIONS:
        yield f"{len(questions)} questions are fewer than {FEWEST_QUESTIONS}"
    for number, count in Counter(question.id for question in questions).items():
        if count > 1:
            yield f"question {number}: {count} questions have this id"
    texts = Counter(
        text for question in questions for source in _all(question) for text in _parts(source)
    )
    for text, count in texts.items():
        if count > 1:
            yield f"{count} times the same text: {text[:60]!r}"


def _of_one(question: QuestionSource) -> Iterator[str]:
    if len(question.duplicate) < FEWEST_DUPLICATES:
        yield f"question {question.id}: has {len(question.duplicate)} duplicates"
    for number, source in enumerate(_all(question)):
        name = f"question {question.id}" + (f", duplicate {number}" if number else "")
        text0 = f"{source.title}. {source.body}"
        shortest, longest = DUPLICATE_LENGTHS if number else ORIGINAL_LENGTHS
        length = clean_stored(text0).length
        if not shortest <= length <= longest:
            yield f"{name}: has {length} characters of prose, not {shortest} to {longest}"
        if len(text0) > LONGEST_TEXT:
            yield f"{name}: has {len(text0)} characters, more than {LONGEST_TEXT}"
        if _LEAK.search(text0):
            yield f"{name}: names itself a duplicate"
        if number and source.title.lower() == question.title.lower():
            yield f"{name}: has the title of its original"


def _all(question: QuestionSource) -> tuple[QuestionSource | DuplicateSource, ...]:
    return (question, *question.duplicate)


def _parts(source: QuestionSource | DuplicateSource) -> tuple[str, str]:
    text: CleanText = clean_stored(f"{source.title}. {source.body}")
    return f"title {text.title.lower()}", f"body {text.prose.lower()} {text.code}"
