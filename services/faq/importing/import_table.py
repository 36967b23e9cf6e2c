"""A team's own questions, from CSV, TSV or JSONL, to the data's files."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from services.faq.importing import export
from services.faq.importing.report import ImportReport
from services.faq.importing.resolve import resolve
from services.faq.importing.table_rows import LineError, Report, TableRow, read_table
from services.faq.importing.work_file import WorkFile, open_work_file, remove_work_file
from services.faq.importing.write_data import new_data
from services.faq.records import LONGEST_LINE, DataError
from services.faq.source_ids import is_whole_number, normalised, number_of
from services.faq.stored_text import one_line, text0

MOST_ERRORS_SHOWN: Final = 20


class BadLines(DataError):
    """Lines that are wrong; `errors` are the first of them."""

    def __init__(self, errors: list[str], count: int) -> None:
        super().__init__(
            f"{count:,} lines are wrong; correct them, or give --skip-errors to leave them out"
        )
        self.errors = errors


@dataclass(frozen=True)
class Columns:
    """Which column holds what; only the question's is needed in every table."""

    question: str = "question"
    body: str = "body"
    answer: str = "answer"
    id: str = "id"
    duplicate_of: str = "duplicate_of"
    created: str = "created"
    author: str = "author"
    url: str = "url"
    licence: str = "licence"


@dataclass(frozen=True)
class TableFormat:
    """How the tables are written."""

    columns: Columns = Columns()
    encoding: str = "utf-8"
    delimiter: str = ""
    text_format: Literal["plain", "html"] = "plain"

    def rows(self, table: Path, report: Report) -> Iterator[TableRow]:
        """Yield the rows of a table; what cannot be read of it is given to `report`."""
        return read_table(table, encoding=self.encoding, delimiter=self.delimiter, report=report)


def import_table(
    tables: tuple[Path, ...], data: Path, layout: TableFormat, *, skip_errors: bool = False
) -> ImportReport:
    """Write the files of `data` from tables, which are read as one.

    Every row is a question: an original with its answer, or a duplicate of another row, which it
    names by id.

    Raises:
        BadLines: lines are wrong, and `skip_errors` is not set.
        DataError: a table cannot be read, or nothing is found.
    """
    source = {"tables": [str(table) for table in tables]}
    data.mkdir(parents=True, exist_ok=True)
    with open_work_file(data, source, restart=True) as work:
        try:
            reading = _Reading(work, layout, _given_ids(tables, layout))
            for table in tables:
                reading.read(table)
            reading.check_references()
            if reading.count and not skip_errors:
                raise BadLines(reading.errors, reading.count)
            resolve(work)
            if not export.choose(work, without_duplicates=True):
                raise DataError(f"{tables[0]}: holds no question with an answer")
            with new_data(data) as writer:
                written = export.export(work, writer, None)
                counts = {**work.counts, **export.counts(work), **written}
                report = ImportReport(source, counts)
                writer.report(report.json())
            return report
        finally:
            remove_work_file(data)


@dataclass(frozen=True)
class _GivenIds:
    """The whole numbers that rows have as ids.

    Attributes:
        numbers: all of them.
        unclear: those that are the number of an original without an id as well.
    """

    numbers: frozenset[int]
    unclear: frozenset[int]


def _given_ids(tables: tuple[Path, ...], layout: TableFormat) -> _GivenIds:
    """Read the tables for their ids; what is wrong is reported later."""
    columns = layout.columns
    numbers: set[int] = set()
    unnamed_originals: set[int] = set()
    place = 0

    def count(_: object) -> None:
        nonlocal place
        place += 1

    for row in (row for table in tables for row in layout.rows(table, count)):
        count(row)
        if columns.id in row.values:
            with suppress(ValueError):
                name = normalised(row.values[columns.id])
                if is_whole_number(name):
                    numbers.add(number_of(name))
        elif columns.duplicate_of not in row.values:
            unnamed_originals.add(place)
    return _GivenIds(frozenset(numbers), frozenset(numbers & unnamed_originals))


class _Reading:
    """Puts rows into the work file and gathers errors.

    The number of a row is its id if it has none. Where another row has that id, it would be taken
    for that one, so it gets a number that no other can name.
    """

    def __init__(self, work: WorkFile, layout: TableFormat, given: _GivenIds) -> None:
        self.errors: list[str] = []
        self.count = 0
        self._work = work
        self._layout = layout
        self._columns = layout.columns
        self._given = given
        self._number = 0
        # Where the duplicates without an id are: their numbers do not stand in the tables.
        work.database.execute(
            "CREATE TEMP TABLE unnamed (duplicate INTEGER PRIMARY KEY, line TEXT NOT NULL)"
        )

    def read(self, table: Path) -> None:
        """Read one table."""
        seen: set[str] = set()
        for row in self._layout.rows(table, self._skip):
            seen |= row.values.keys()
            self._number += 1
            try:
                self._keep(row)
            except LineError as error:
                self._report(error)
            else:
                self._work.counts["table: rows"] += 1
        if seen and self._columns.question not in seen:
            raise DataError(
                f"{table}: has no column {self._columns.question!r}, but "
                f"{', '.join(map(repr, sorted(seen)[:20]))}; name it with --question-column"
            )

    def check_references(self) -> None:
        """Report the duplicates of questions that are not there."""
        unknown = self._work.database.execute(
            "SELECT duplicate, original, line FROM links LEFT JOIN unnamed USING (duplicate) "
            "WHERE original NOT IN (SELECT id FROM questions) ORDER BY id"
        )
        for duplicate, original, line in unknown.fetchall():
            row = line or f"question {self._source_id(duplicate)}"
            wanted = self._source_id(original)
            self._add(f"{row}: no question has the id {wanted} that it repeats")

    def _skip(self, error: LineError) -> None:
        """Report a row that cannot be read at all; those behind it keep their numbers."""
        self._number += 1
        self._report(error)

    def _report(self, error: LineError) -> None:
        self._add(str(error))

    def _add(self, message: str) -> None:
        self.count += 1
        self._work.counts["left out: lines that are wrong"] += 1
        if len(self.errors) < MOST_ERRORS_SHOWN:
            self.errors.append(message)

    def _keep(self, row: TableRow) -> None:
        columns, values = self._columns, row.values
        number = self._id(row, columns.id)
        number = self._unnamed() if number is None else number
        question = values.get(columns.question, "")
        original = self._id(row, columns.duplicate_of)
        answer = values.get(columns.answer, "")
        if not question:
            raise row.error(f"has no question (column {columns.question!r})")
        if original is None and not answer:
            raise row.error(
                f"has no answer (column {columns.answer!r}), and repeats no other question "
                f"(column {columns.duplicate_of!r})"
            )
        if original in self._given.unclear:
            raise row.error(
                f"{columns.duplicate_of} {original} is the id of one row, and the number of an "
                "original that has none; give that one an id"
            )
        if original == number:
            raise row.error("is a duplicate of itself")
        text = text0(question, self._html(values.get(columns.body, "")))
        answer = one_line(self._html(answer))
        if max(len(text.encode()), len(answer.encode())) > LONGEST_LINE - 200:
            raise row.error(f"is longer than {LONGEST_LINE:,} bytes")
        source = (
            " ".join(values.get(columns.created, "").split()), values.get(columns.licence, ""),
            None, values.get(columns.author, ""), values.get(columns.url),
        )  # fmt: skip
        self._insert(row, number, original, text, answer, source)

    def _insert(
        self,
        row: TableRow,
        number: int,
        original: int | None,
        text: str,
        answer: str,
        source: tuple[str | int | None, ...],
    ) -> None:
        database = self._work.database
        added = database.execute(
            "INSERT OR IGNORE INTO questions VALUES (?, 1, NULL, ?, ?, ?, ?, ?, ?)",
            (number, text, *source),
        )
        if not added.rowcount:
            raise row.error(f"the id {self._source_id(number)} is used before")
        if original is not None:
            database.execute("INSERT INTO links VALUES (?, ?, ?)", (number, original, self._number))
            if self._columns.id not in row.values:
                line = f"{row.file}: line {row.line}"
                database.execute("INSERT INTO unnamed VALUES (?, ?)", (number, line))
        elif answer:
            database.execute(
                "INSERT INTO answers VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?)",
                (number, number, answer, *source),
            )

    def _unnamed(self) -> int:
        """Return the number of a row that has no id."""
        # No id holds a tab, so this is none that a row can have or name.
        taken = self._number in self._given.numbers
        return number_of(f"row\t{self._number}") if taken else self._number

    def _id(self, row: TableRow, column: str) -> int | None:
        """Return the number of the id in a column; that of a text is kept with it."""
        if (value := row.values.get(column)) is None:
            return None
        try:
            name = normalised(value)
        except ValueError as error:
            raise row.error(f"{column} {error}") from None
        number = number_of(name)
        if not is_whole_number(name):
            self._work.database.execute(
                "INSERT OR IGNORE INTO source_ids VALUES (?, ?)", (number, name)
            )
            if (other := self._source_id(number)) != name:
                raise row.error(f"{column} has the same number as {other!r}; change one of them")
        return number

    def _source_id(self, number: int) -> str:
        """Return an id as the tables have it."""
        query = "SELECT name FROM source_ids WHERE id = ?"
        found = self._work.database.execute(query, (number,)).fetchone()
        return found[0] if found else str(number)

    def _html(self, text: str) -> str:
        return text if self._layout.text_format == "html" else plain_to_html(text)


def plain_to_html(text: str) -> str:
    """Return plain text as HTML: a paragraph where lines are blank, a break at a line's end."""
    paragraphs = re.split(r"\n\s*\n", html.escape(text.strip(), quote=False).replace("\r", ""))
    return "".join(
        f"<p>{paragraph.strip().replace(chr(10), '<br>')}</p>"
        for paragraph in paragraphs
        if paragraph.strip()
    )
