"""What a folder of data holds that a model does not know yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.faq.data import Duplicate, Original, attributed
from services.faq.records import DataError, QuestionRecord, Records, read_records
from services.faq.stored_originals import StoredOriginals
from services.faq.stored_text import split_stored
from services.faq.text import CleanText, clean_posted, clean_stored


@dataclass(frozen=True)
class Additions:
    """New originals, by id, and new duplicates, by id.

    The owner of a duplicate is a position among the model's originals, or, after those, among the
    new ones. `left_out` counts what was not taken, by reason.
    """

    originals: list[Original]
    duplicates: list[Duplicate]
    left_out: dict[str, int]


def read_additions(
    folder: Path,
    known: StoredOriginals,
    known_duplicates: NDArray[np.int64],
    *,
    min_text: int = 0,
) -> Additions:
    """Read the three files; a duplicate may be of an original of the model, or of the folder.

    Args:
        folder: where `orig-q.tsv.gz`, `dup-q.tsv.gz` and `ans.tsv.gz` are.
        known: the model's originals.
        known_duplicates: ids of the model's duplicates.
        min_text: questions with fewer characters of title and prose are left out.

    Raises:
        DataError: a file cannot be read, or nothing is new.
    """
    reading = _Reading(read_records(folder), known, known_duplicates, min_text)
    additions = reading.additions(folder)
    return replace(additions, originals=attributed(additions.originals, folder))


class _Reading:
    """Compares the records with what is known, and counts what it leaves out."""

    def __init__(
        self,
        records: Records,
        known: StoredOriginals,
        known_duplicates: NDArray[np.int64],
        min_text: int,
    ) -> None:
        self._records = records
        self._min_text = max(min_text, 1)
        self._known = dict(zip(known.answer_ids.tolist(), known.ids.tolist(), strict=True))
        self._seen = {*known.ids.tolist(), *known_duplicates.tolist()}
        self._left_out: Counter[str] = Counter()

    def additions(self, folder: Path) -> Additions:
        originals = sorted(self._originals(), key=lambda each: each.id)
        ids = self._known | {each.answer_id: each.id for each in originals}
        owners = {answer_id: position for position, answer_id in enumerate(ids)}
        duplicates = sorted(self._duplicates(ids, owners), key=lambda each: each.id)
        left_out = dict(sorted(self._left_out.items()))
        if not originals and not duplicates:
            reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
            raise DataError(f"{folder}: holds nothing new ({reasons or 'no lines'})")
        return Additions(originals, duplicates, left_out)

    def _originals(self) -> Iterator[Original]:
        answers = {answer.id: answer.html for answer in self._records.answers}
        answered = set(self._known)
        for record in self._new("originals", self._records.originals):
            text = clean_stored(record.text0)
            if record.answer_id not in answers:
                self._left_out["originals without an answer"] += 1
            elif record.answer_id in answered:
                self._left_out["originals with the same answer as another"] += 1
            elif self._has_text("originals", text):
                answered.add(record.answer_id)
                title, body = split_stored(record.text0)
                yield Original(
                    record.id, record.answer_id, title, body, answers[record.answer_id], text
                )

    def _duplicates(self, ids: dict[int, int], owners: dict[int, int]) -> Iterator[Duplicate]:
        for record in self._new("duplicates", self._records.duplicates):
            if record.answer_id not in owners:
                self._left_out["duplicates of an unknown original"] += 1
                continue
            links_to = (ids[record.answer_id], record.answer_id)
            text = clean_posted(record.text0, links_to=links_to)
            title = clean_posted(split_stored(record.text0)[0], links_to=links_to)
            if self._has_text("duplicates", text):
                yield Duplicate(record.id, owners[record.answer_id], text, title)

    def _new(self, kind: str, records: Iterable[QuestionRecord]) -> Iterator[QuestionRecord]:
        for record in records:
            if record.id in self._seen:
                self._left_out[f"{kind} that are known"] += 1
            else:
                self._seen.add(record.id)
                yield record

    def _has_text(self, kind: str, text: CleanText) -> bool:
        is_enough = text.length >= self._min_text
        if not is_enough:
            self._left_out[f"{kind} with too little text"] += 1
        return is_enough
