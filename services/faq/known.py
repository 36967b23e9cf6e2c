"""The texts that a model is made of, cut into terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Final, overload

import numpy as np
from numpy.typing import NDArray

from services.faq.analysis import cut, cut_title, terms_of
from services.faq.data import DataSet
from services.faq.encoder import Encode, sentence_of
from services.faq.meanings import KnownMeanings
from services.faq.processes import in_processes
from services.faq.terms import Cut, Terms, TermTable, hashed_table, joined
from services.faq.text import CleanText, clean_posted

TEXTS_AT_ONCE: Final = 4_096

Progress = Callable[[Iterable[Any], str], Iterable[Any]]


@dataclass(frozen=True, eq=False)
class Titles(Sequence[Terms]):
    """Titles that are cut into terms when they are asked for: of many, only a few are."""

    texts: Sequence[CleanText]

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, index: int) -> Terms: ...
    @overload
    def __getitem__(self, index: slice) -> Titles: ...
    def __getitem__(self, index: int | slice) -> Terms | Titles:
        chosen = self.texts[index]
        return terms_of(chosen) if isinstance(chosen, CleanText) else Titles(chosen)

    def take(self, positions: NDArray[np.int64]) -> Titles:
        """Return some of the titles."""
        return Titles([self.texts[position] for position in positions.tolist()])


@dataclass(frozen=True, eq=False)
class Known:
    """The texts that an index is made of.

    `answers[i]` answers `originals[i]`, whose title alone is `original_titles[i]`; `duplicates[j]`,
    whose title alone is `titles[j]`, repeats `originals[owners[j]]`. The duplicates' titles are not
    part of the index: the second stage learns from them. An original may have no duplicate.
    """

    originals: TermTable
    original_titles: TermTable
    answers: TermTable
    duplicates: TermTable
    titles: Titles | TermTable
    owners: NDArray[np.int64]
    meanings: KnownMeanings | None = None
    """Where the model has a sentence encoder."""

    def with_only(self, duplicates: NDArray[np.int64]) -> Known:
        """Return the same with only some of the duplicates, given by position."""
        return replace(
            self,
            duplicates=self.duplicates.take(duplicates),
            titles=self.titles.take(duplicates),
            owners=self.owners[duplicates],
            meanings=self.meanings and self.meanings.with_only(duplicates),
        )

    def part(self, start: int, end: int) -> Known:
        """Return the originals from `start` to `end` and their duplicates, owner by owner."""
        starts = self.owner_starts
        chosen = self._by_owner[starts[start] : starts[end]]
        return Known(
            originals=self.originals[start:end],
            original_titles=self.original_titles[start:end],
            answers=self.answers[start:end],
            duplicates=self.duplicates.take(chosen),
            titles=self.titles.take(chosen),
            owners=self.owners[chosen] - start,
            meanings=self.meanings and self.meanings.part(start, end, chosen),
        )

    @cached_property
    def owner_starts(self) -> NDArray[np.int64]:
        """Where each original's duplicates begin, when they are taken owner by owner."""
        return np.searchsorted(self.owners[self._by_owner], np.arange(len(self.originals) + 1))

    @cached_property
    def _by_owner(self) -> NDArray[np.int64]:
        return np.argsort(self.owners, kind="stable")


def known_texts(
    data: DataSet, progress: Progress | None = None, encode: Encode | None = None
) -> Known:
    """Cut all texts of the data into terms, with all processors where they are many.

    Args:
        data: the texts.
        progress: shows the progress.
        encode: a sentence encoder's; without it, what the texts mean is left out.
    """
    originals, duplicates = data.originals, data.duplicates
    tables = partial(_tables, progress=progress)
    return Known(
        originals=tables(originals, lambda each: cut(each.text), "originals"),
        original_titles=tables(originals, lambda each: cut_title(each.text), "titles"),
        answers=tables(originals, lambda each: cut(clean_posted(each.answer_html)), "answers"),
        duplicates=tables(duplicates, lambda each: cut(each.text), "duplicates"),
        titles=Titles([duplicate.title for duplicate in duplicates]),
        owners=data.owners,
        meanings=encode and _meanings(data, encode),
    )


def _meanings(data: DataSet, encode: Encode) -> KnownMeanings:
    answers = (clean_posted(each.answer_html) for each in data.originals)
    return KnownMeanings(
        originals=encode([sentence_of(each.text) for each in data.originals]),
        answers=encode([sentence_of(each) for each in answers]),
        duplicates=encode([sentence_of(each.text) for each in data.duplicates]),
        titles=encode([sentence_of(each.title) for each in data.duplicates]),
    )


def _tables(
    texts: Sequence[Any], cutting: Callable[[Any], Cut], what: str, progress: Progress | None
) -> TermTable:
    def piece(number: int) -> TermTable:
        chosen = texts[number * TEXTS_AT_ONCE : (number + 1) * TEXTS_AT_ONCE]
        return hashed_table([cutting(each) for each in chosen])

    pieces = -(-len(texts) // TEXTS_AT_ONCE)
    tables: Iterable[TermTable] = in_processes(piece, pieces)
    return joined(progress(tables, f"cutting {what}") if progress else tables)
