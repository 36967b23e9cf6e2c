"""The data set: originals, each with its answer and its duplicates, after joins and filters."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.faq.attribution import Attribution, read_attributions
from services.faq.records import (
    DUPLICATES_FILE,
    FILES,
    SPLIT_FILE,
    DataError,
    QuestionRecord,
    Records,
    read_own_split,
    read_records,
)
from services.faq.stored_text import split_stored
from services.faq.text import CleanText, clean_posted, clean_stored


@dataclass(frozen=True)
class Original:
    """A known question and its answer."""

    id: int
    answer_id: int
    title: str
    html: str
    """HTML of the body, as in the data; empty where the data has plain text only."""
    answer_html: str
    text: CleanText
    attribution: Attribution | None = None
    """Author, address and licence of the question, where the data has them."""
    answer_attribution: Attribution | None = None
    """Those of its answer."""


@dataclass(frozen=True)
class Duplicate:
    """A question that asks the same as the original at position `owner`.

    Its text is cleaned as a posted question is, so that a model learns from what it will be asked.
    """

    id: int
    owner: int
    text: CleanText
    title: CleanText
    """The title alone; all of the text where the data has plain text only."""
    created: datetime | None = None
    """When it was asked, where the data says so."""
    part: str = ""
    """To which part of the data's own split it belongs, such as `train` or `test`; mostly none."""


@dataclass(frozen=True)
class DataSet:
    """What is left of the files after joins and filters.

    Originals are sorted by id, duplicates by id. `dropped` counts what was left out, by reason;
    `sha256` identifies the files.
    """

    originals: list[Original]
    duplicates: list[Duplicate]
    dropped: dict[str, int]
    sha256: str

    @property
    def owners(self) -> NDArray[np.int64]:
        """Position of the original of each duplicate."""
        return np.asarray([duplicate.owner for duplicate in self.duplicates], np.int64)


def read_data(
    folder: Path,
    *,
    min_text: int = 0,
    min_duplicates: int = 1,
    strip: bool = True,
    need_duplicates: bool = True,
) -> DataSet:
    """Read the three files, join them by AnswerId and apply the filters.

    Args:
        folder: where `orig-q.tsv.gz`, `dup-q.tsv.gz` and `ans.tsv.gz` are; `dup-meta.tsv.gz`, if it
            is there too, says how the data is split, and `attribution.jsonl.gz` whose texts they are.
        min_text: questions with fewer characters of title and prose are left out.
        min_duplicates: originals with fewer duplicates are left out.
        strip: whether what gives a duplicate's original away is stripped (see `leaks`).
        need_duplicates: whether data without any duplicate is refused.

    Raises:
        DataError: a file cannot be read, or nothing is left.
    """
    records = read_records(folder)
    parts = read_own_split(folder)
    data = _Join(records, parts, min_text, min_duplicates, strip).data_set(_sha256(folder))
    if not data.originals or (need_duplicates and not data.duplicates):
        reasons = ", ".join(f"{count} {reason}" for reason, count in data.dropped.items())
        raise DataError(
            f"no original with a duplicate is left ({reasons or 'no lines'}); the matcher learns from "
            f"questions that ask the same as an original: {DUPLICATES_FILE} must hold some; until "
            "then, train --borrow learns from the repository's own corpus"
        )
    return replace(data, originals=attributed(data.originals, folder))


def attributed(originals: list[Original], folder: Path) -> list[Original]:
    """Return the originals with whose texts they are, where the folder says so."""
    wanted = {("original", each.id) for each in originals}
    wanted |= {("answer", each.answer_id) for each in originals}
    found = {
        (each.kind, each.id): each
        for each in read_attributions(folder)
        if (each.kind, each.id) in wanted
    }
    return [
        replace(
            each,
            attribution=found.get(("original", each.id)),
            answer_attribution=found.get(("answer", each.answer_id)),
        )
        for each in originals
    ]


def _sha256(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in (*FILES, *([SPLIT_FILE] if (folder / SPLIT_FILE).exists() else [])):
        digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
    return digest.hexdigest()


def _moment(text: str) -> datetime | None:
    """Read a CreationDate (ISO 8601, as Stack Exchange writes it); without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Join:
    """Joins the records and counts what it leaves out."""

    def __init__(
        self,
        records: Records,
        parts: dict[int, str],
        min_text: int,
        min_duplicates: int,
        strip: bool,
    ) -> None:
        self._records = records
        self._parts = parts
        self._strip = strip
        self._min_text = min_text
        self._min_duplicates = min_duplicates
        self._dropped: Counter[str] = Counter()

    def data_set(self, sha256: str) -> DataSet:
        originals = self._originals()
        duplicates = self._duplicates(originals)
        counts = Counter(record.answer_id for record, _ in duplicates)
        kept = sorted(
            (each for each in originals.values() if counts[each.answer_id] >= self._min_duplicates),
            key=lambda original: original.id,
        )
        self._drop("originals with too few duplicates", len(originals) - len(kept))
        owner_of = {original.answer_id: number for number, original in enumerate(kept)}
        owned = [
            Duplicate(
                id=record.id,
                owner=owner_of[record.answer_id],
                text=text,
                title=self._posted(record, split_stored(record.text0)[0], originals),
                created=_moment(record.created),
                part=self._parts.get(record.id, ""),
            )
            for record, text in duplicates
            if record.answer_id in owner_of
        ]
        self._drop("duplicates of originals left out", len(duplicates) - len(owned))
        owned.sort(key=lambda duplicate: duplicate.id)
        return DataSet(kept, owned, dict(sorted(self._dropped.items())), sha256)

    def _originals(self) -> dict[int, Original]:
        """Return the originals by AnswerId."""
        answers = {answer.id: answer.html for answer in self._records.answers}
        originals: dict[int, Original] = {}
        strip = self._strip

        def clean(record: QuestionRecord) -> CleanText:
            return clean_stored(record.text0, strip=strip)

        for record, text in self._usable("originals", self._records.originals, clean):
            if record.answer_id not in answers:
                self._drop("originals without an answer")
            elif record.answer_id in originals:
                self._drop("originals with the same answer as another")
            else:
                title, body = split_stored(record.text0)
                originals[record.answer_id] = Original(
                    record.id, record.answer_id, title, body, answers[record.answer_id], text
                )
        return originals

    def _duplicates(self, originals: dict[int, Original]) -> list[tuple[QuestionRecord, CleanText]]:
        original_ids = {original.id for original in originals.values()}
        texts: set[str] = set()
        kept: list[tuple[QuestionRecord, CleanText]] = []

        def clean(record: QuestionRecord) -> CleanText:
            return self._posted(record, record.text0, originals)

        for record, text in self._usable("duplicates", self._records.duplicates, clean):
            if record.answer_id not in originals:
                self._drop("duplicates of an unknown original")
            elif record.id in original_ids:
                self._drop("duplicates that are originals")
            elif text.words in texts:
                self._drop("duplicates with the same text as another")
            else:
                texts.add(text.words)
                kept.append((record, text))
        return kept

    def _posted(
        self, record: QuestionRecord, text: str, originals: dict[int, Original]
    ) -> CleanText:
        """Clean a duplicate's text as a posted question's, without links to its own original."""
        original = originals.get(record.answer_id)
        links_to = (original.id, original.answer_id) if original else ()
        return clean_posted(text, strip=self._strip, links_to=links_to)

    def _usable(
        self,
        kind: str,
        records: Iterable[QuestionRecord],
        clean: Callable[[QuestionRecord], CleanText],
    ) -> Iterable[tuple[QuestionRecord, CleanText]]:
        seen: set[int] = set()
        for record in records:
            text = clean(record)
            if record.id in seen:
                self._drop(f"{kind} with a repeated id")
            elif text.length < max(self._min_text, 1):
                self._drop(f"{kind} with too little text")
            else:
                seen.add(record.id)
                yield record, text

    def _drop(self, reason: str, count: int = 1) -> None:
        if count:
            self._dropped[reason] += count
