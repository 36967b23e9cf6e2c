"""A made-up data set of any size, with what makes real ones hard: rare words, topics, paraphrase.

Words have Zipf's frequencies, and their number grows with the text (Heaps' law). An original has a
topic, whose words it shares with some two hundred others, and a core of ten words of its own topic,
each with an alternative that people say instead. A duplicate keeps half of the core, says the
alternative for a quarter, and has words of the topic, common words, and typing errors besides. How
many duplicates an original has varies as widely as in real data: many have none, few have many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.faq.data import DataSet, Duplicate, Original
from services.faq.text import CleanText

CORE: Final = 10
TOPIC_WORDS: Final = 400
ORIGINALS_OF_A_TOPIC: Final = 200

_ABSENT: Final = -1
_KEPT, _ALTERNATIVE, _TYPING_ERROR = 0.45, 0.25, 0.04
_ZIPF: Final = 1.05
_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwxyz", "aeiou"
_AT_ONCE: Final = 20_000

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Synthetic:
    """A data set, and questions that it does not hold, each with its original's position."""

    data: DataSet
    questions: list[str]
    owners: Ids


def synthetic(
    originals: int, questions: int, mean_duplicates: int = 10, seed: int = 0
) -> Synthetic:
    """Make a data set of so many originals, and of as many duplicates for each on average."""
    writer = _Writer(originals, seed)
    random = np.random.default_rng(seed + 1)
    spread = random.gamma(0.7, mean_duplicates / 0.7, originals)
    counts = random.multinomial(mean_duplicates * originals, spread / spread.sum())
    owners = np.repeat(np.arange(originals), counts)
    texts = zip(writer.titles(), writer.bodies(), writer.answers(), strict=True)
    known = [
        Original(number, originals + number, title, f"<p>{body}</p>", f"<p>{answer}</p>",
                 CleanText(title, body, ""))
        for number, (title, body, answer) in enumerate(texts)
    ]  # fmt: skip
    clean = (CleanText("", text, "") for text in writer.duplicates(owners))
    duplicates = [
        Duplicate(2 * originals + number, owner, text, text)
        for number, (owner, text) in enumerate(zip(owners.tolist(), clean, strict=True))
    ]
    asked = owners[random.integers(0, len(owners), questions)]
    return Synthetic(DataSet(known, duplicates, {}, ""), list(writer.duplicates(asked)), asked)


class _Writer:
    """Writes texts; words are numbers in the order of how common they are."""

    def __init__(self, originals: int, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._words = [_word(number) for number in range(int(4_000 * originals**0.4))]
        self._common = _zipf(len(self._words))
        self._in_topic = _zipf(TOPIC_WORDS)
        topics = max(4, originals // ORIGINALS_OF_A_TOPIC)
        self._topics = self._random.integers(100, len(self._words), (topics, TOPIC_WORDS))
        self._topic = self._random.integers(0, topics, originals)
        self._core = self._of_topic(np.arange(originals), CORE, evenly=True)
        self._alternatives = self._of_topic(np.arange(originals), CORE, evenly=True)

    def titles(self) -> Iterator[str]:
        return self._texts(len(self._topic), lambda who: [self._core[who, :6], self._any(who, 2)])

    def bodies(self) -> Iterator[str]:
        return self._texts(
            len(self._topic),
            lambda who: [self._core[who], self._of_topic(who, 12), self._any(who, 24)],
        )

    def answers(self) -> Iterator[str]:
        return self._texts(
            len(self._topic),
            lambda who: [self._core[who, 3:8], self._of_topic(who, 10), self._any(who, 16)],
        )

    def duplicates(self, owners: Ids) -> Iterator[str]:
        def words(rows: Ids) -> list[Ids]:
            who = owners[rows]
            chance = self._random.random((len(who), CORE))
            core = np.where(chance < _KEPT, self._core[who], _ABSENT)
            instead = (chance >= _KEPT) & (chance < _KEPT + _ALTERNATIVE)
            core = np.where(instead, self._alternatives[who], core)
            return [core, self._some(self._of_topic(who, 6)), self._some(self._any(who, 14))]

        return self._texts(len(owners), words)

    def _texts(self, count: int, words) -> Iterator[str]:  # type: ignore[no-untyped-def]
        for start in range(0, count, _AT_ONCE):
            rows = np.concatenate(words(np.arange(start, min(start + _AT_ONCE, count))), axis=1)
            order = np.argsort(self._random.random(rows.shape), axis=1)
            wrong = self._random.random(rows.shape) < _TYPING_ERROR
            for row, errors in zip(np.take_along_axis(rows, order, axis=1), wrong, strict=True):
                written = [
                    _mistyped(self._words[word]) if error else self._words[word]
                    for word, error in zip(row.tolist(), errors.tolist(), strict=True)
                    if word != _ABSENT
                ]
                yield " ".join(written)

    def _some(self, words: Ids) -> Ids:
        return np.where(self._random.random(words.shape) < 0.6, words, _ABSENT)

    def _any(self, who: Ids, count: int) -> Ids:
        return np.searchsorted(self._common, self._random.random((len(who), count)))

    def _of_topic(self, who: Ids, count: int, *, evenly: bool = False) -> Ids:
        chance = self._random.random((len(who), count))
        place = (
            (chance * TOPIC_WORDS).astype(np.int64)
            if evenly
            else np.searchsorted(self._in_topic, chance)
        )
        return self._topics[self._topic[who][:, np.newaxis], place]


def _zipf(count: int) -> NDArray[np.float64]:
    """Cumulative probabilities of ranks."""
    cumulative = np.cumsum(1 / np.arange(1, count + 1) ** _ZIPF)
    return cumulative[:-1] / cumulative[-1]


def _word(number: int) -> str:
    """A word for each number, the shorter the smaller; all are different."""
    syllables: list[str] = []
    while number or len(syllables) < 2:
        number, place = divmod(number, len(_CONSONANTS) * len(_VOWELS))
        consonant, vowel = divmod(place, len(_VOWELS))
        syllables.append(_CONSONANTS[consonant] + _VOWELS[vowel])
    return "".join(syllables)


def _mistyped(word: str) -> str:
    return word[0] + word[2] + word[1] + word[3:]
