"""Cutting a text into the pieces of words that a sentence encoder knows.

The rules are BERT's (Devlin et al. 2018, https://github.com/google-research/bert, tokenization.py) for
a vocabulary without capital letters and accents.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

UNKNOWN: Final = "[UNK]"
FIRST: Final = "[CLS]"
LAST: Final = "[SEP]"
SPECIAL: Final = (UNKNOWN, FIRST, LAST)
"""Pieces that every vocabulary must have."""

_LONGEST_WORD: Final = 100
"""Characters; a longer word is unknown."""
_INSIDE: Final = "##"
"""What a piece begins with that is not the first of its word."""
_CJK: Final = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)
_LETTERS_OF_CONTROL: Final = "\t\n\r"


@dataclass(frozen=True)
class WordPiece:
    """A vocabulary: the pieces, each with its number in order."""

    pieces: Sequence[str]

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The number of each piece."""
        return {piece: number for number, piece in enumerate(self.pieces)}

    def encode(self, text: str, most: int) -> list[int]:
        """Return the numbers of the pieces of a text, at most `most` with the first and the last one.

        Names of special pieces in the text are text.
        """
        found: list[int] = []
        for word in words(text):
            found += self._pieces(word)
            if len(found) >= most - 2:
                break
        return [self.numbers[FIRST], *found[: most - 2], self.numbers[LAST]]

    def _pieces(self, word: str) -> list[int]:
        """Take the longest piece that the word begins with, again and again."""
        if len(word) > _LONGEST_WORD:
            return [self.numbers[UNKNOWN]]
        found: list[int] = []
        start = 0
        while start < len(word):
            prefix = _INSIDE if start else ""
            for end in range(len(word), start, -1):
                number = self.numbers.get(prefix + word[start:end])
                if number is not None:
                    break
            else:
                return [self.numbers[UNKNOWN]]
            found.append(number)
            start = end
        return found


def words(text: str) -> Iterator[str]:
    """Yield the words of a text in small letters without accents; punctuation is by itself."""
    if not text.isascii():
        text = "".join(map(_spaced, text))
        text = "".join(
            letter
            for letter in unicodedata.normalize("NFD", text)
            if unicodedata.category(letter) != "Mn"
        )
    else:
        text = "".join(map(_plain, text))
    # Letter by letter: a sigma at the end of a word is one like others.
    for word in "".join(map(str.lower, text)).split():
        yield from _without_punctuation(word)


def _without_punctuation(word: str) -> Iterator[str]:
    start = 0
    for place, letter in enumerate(word):
        if _is_punctuation(letter):
            if start < place:
                yield word[start:place]
            yield letter
            start = place + 1
    if start < len(word):
        yield word[start:]


def _plain(letter: str) -> str:
    """Return a letter of ASCII; nothing for one that controls, a space for one of space."""
    if letter.isprintable():
        return letter
    return " " if letter in _LETTERS_OF_CONTROL else ""


def _spaced(letter: str) -> str:
    """Return a letter, with spaces around those that are words by themselves."""
    category = unicodedata.category(letter)
    if letter in _LETTERS_OF_CONTROL or category == "Zs" or letter in "\u2028\u2029":
        return " "
    if category.startswith("C") or letter == "\ufffd":
        return ""
    is_cjk = any(first <= ord(letter) <= last for first, last in _CJK)
    return f" {letter} " if is_cjk else letter


def _is_punctuation(letter: str) -> bool:
    """Whether it is punctuation, or a letter of ASCII that is neither letter, digit nor space."""
    if letter.isascii():
        return not letter.isalnum() and letter.isprintable() and letter != " "
    return unicodedata.category(letter).startswith("P")
