"""What a baseline is: it is fitted on the known texts and then scores every original for a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.faq.classifier import Float64s
from services.faq.data import DataSet
from services.faq.text import CleanText

Score = Callable[[Sequence[str]], Float64s]
"""From texts to scores, float64 (texts, originals)."""


@dataclass(frozen=True)
class KnownText:
    """The texts that a baseline may learn from; `duplicates[j]` repeats `originals[owners[j]]`."""

    originals: list[str]
    duplicates: list[str]
    owners: NDArray[np.int64]


@dataclass(frozen=True)
class Baseline:
    """One matcher that a model is compared with."""

    key: str
    """Its name in JSON."""
    title: str
    fit: Callable[[KnownText], Score]
    is_probability: bool = False
    most_originals: int | None = None
    """With more, it is not fitted: it would take hours, or more memory than there is."""
    most_characters: int | None = None
    """With more of the text that it reads, it is not fitted either."""
    reads_duplicates: bool = True
    most_scores: int | None = None
    """Where questions times originals are more, it is asked a sample of the questions."""
    note: str = ""
    """What a reader should know of it."""
    unavailable: str = ""
    """Why it cannot be fitted on this machine; empty where it can."""

    def not_fitted(self, training: DataSet) -> str:
        """Return why it is not fitted on a data set; empty where it is."""
        if self.unavailable:
            return f"not fitted: {self.unavailable}"
        originals, most = len(training.originals), self.most_originals
        if most is not None and originals > most:
            return f"not fitted: {originals:,} originals are more than {most:,}"
        if (most := self.most_characters) is None or (read := self._reads(training)) <= most:
            return ""
        return f"not fitted: {read:,} characters of text are more than {most:,}"

    def _reads(self, training: DataSet) -> int:
        """Return how many characters of a data set it is fitted on."""
        read = (training.originals, training.duplicates if self.reads_duplicates else ())
        return sum(len(plain(each.text)) for known in read for each in known)


def known_text(data: DataSet) -> KnownText:
    """Return the texts of a data set as baselines read them."""
    return KnownText(
        originals=[plain(original.text) for original in data.originals],
        duplicates=[plain(duplicate.text) for duplicate in data.duplicates],
        owners=data.owners,
    )


def plain(text: CleanText) -> str:
    """Return title and prose in one string.

    Cleaned as the model's texts are: what names the original of a duplicate is gone for all alike.
    """
    return f"{text.title} {text.prose}".strip()
