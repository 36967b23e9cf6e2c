"""Cutting clean text into the terms that are compared: words, pairs of words, characters, code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

_OPERATORS: Final = r"[=!]==?|=>|\.\.\.|&&|\|\||\?\?|\?\.|!!|\+\+|--|\*\*|\$\{"
_NAME: Final = r"[^\W\d]\w*"
_WORD: Final = re.compile(rf"[^\W_]+(?:'[a-z]+)?|{_OPERATORS}|\$|%|\+=|<=|>=")
_IS_CAMEL: Final = re.compile(r"[a-z][A-Z]")
"""Finds no text that `_CAMEL` does not, sooner."""
_CAMEL: Final = re.compile(r"[a-z]+[A-Z][A-Za-z]*")
_CAMEL_PART: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_CODE: Final = re.compile(rf"{_NAME}|{_OPERATORS}")
_CODE_IN_PROSE: Final = re.compile(
    # Where a name begins, not at each of its letters, which would fail as the first one did.
    rf"(?<![^\W\d])(?:{_NAME}(?:\.{_NAME})+|{_NAME}(?=\())|(?<![a-z])[a-z]+[A-Z]\w*|{_OPERATORS}"
)
_LONGEST_WORD: Final = 40
_ENDINGS: Final = ("ing", "ied", "ies", "ed", "es", "s")
_LAST_LETTERS: Final = frozenset(ending[-1] for ending in _ENDINGS)


def words(text: str) -> list[str]:
    """Return the stems of words and operators of `text` in order; camelCase also in its parts."""
    if _IS_CAMEL.search(text):
        text = _CAMEL.sub(_with_parts, text)
    return [
        _stem(word) if word[-1] in _LAST_LETTERS else word for word in _WORD.findall(text.lower())
    ]


def pairs(stems: list[str]) -> Iterator[str]:
    """Yield each two neighbouring stems, joined by a space."""
    return map(" ".join, pairwise(stems))


def characters(text: str) -> str:
    """Return the words of `text` in lower case, the long ones cut, with one space between them."""
    return " ".join([word[:_LONGEST_WORD] for word in text.lower().split()])


def code_terms(prose: str, code: str) -> list[str]:
    """Return identifiers and operators: all of `code`, and what looks like code in `prose`."""
    found = _CODE.findall(code)
    for term in _CODE_IN_PROSE.findall(_without_plain_words(prose)):
        found += _CODE.findall(term)
    return [term.lower() for term in found]


def _without_plain_words(prose: str) -> str:
    """Leave out words that hold nothing that looks like code: most, which then need no search.

    Those are of small letters, also behind a capital or with a mark at their end: one mark is less
    than any operator, and only an opening bracket makes a name of what is in front of it.
    """
    kept = [
        word
        for word in prose.split()
        if not (
            (word.islower() or word[1:].islower())
            and (word.isalpha() or (word[:-1].isalpha() and word[-1] != "("))
        )
    ]
    return " ".join(kept)


def _with_parts(match: re.Match[str]) -> str:
    return f"{match[0]} {' '.join(_CAMEL_PART.findall(match[0]))}"


def _stem(word: str) -> str:
    """Cut a plural's or a verb's ending; crude on purpose, as both sides are cut alike."""
    if len(word) < 5 or word.endswith("ss"):
        return word
    for ending in _ENDINGS:
        if word.endswith(ending):
            stem = word[: -len(ending)]
            return stem if len(stem) > 2 else word
    return word
