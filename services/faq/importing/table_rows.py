"""The rows of CSV, TSV and JSONL files, with the line that each is from."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import orjson
from tqdm import tqdm

from services.faq.records import LONGEST_LINE, DataError

DELIMITERS: Final = {".csv": ",", ".tsv": "\t"}
JSON_LINES: Final = frozenset({".jsonl", ".ndjson"})


@dataclass(frozen=True)
class TableRow:
    """One row: its values by column, stripped; empty ones are left out."""

    file: Path
    line: int
    values: dict[str, str]

    def error(self, message: str) -> LineError:
        """Return an error of this row."""
        return LineError(self.file, self.line, message)


class LineError(Exception):
    """A line that cannot be used."""

    def __init__(self, file: Path, line: int, message: str) -> None:
        super().__init__(f"{file}: line {line}: {message}")


Report = Callable[[LineError], None]


def read_table(file: Path, *, encoding: str, delimiter: str, report: Report) -> Iterator[TableRow]:
    """Yield the rows of a file; what cannot be read of it is given to `report`.

    Raises:
        DataError: the file cannot be read at all.
    """
    kind = file.suffix.lower()
    if kind not in DELIMITERS and kind not in JSON_LINES:
        raise DataError(f"{file}: is neither .csv, .tsv nor .jsonl")
    try:
        with (
            file.open("rb") as raw,
            tqdm(
                total=file.stat().st_size, desc=f"reading {file.name}", unit="B", unit_scale=True,
                disable=None,
            ) as bar,
        ):  # fmt: skip
            lines = _lines(file, _counted(raw, bar), encoding)
            if kind in JSON_LINES:
                yield from _json_rows(file, lines, report)
            else:
                yield from _csv_rows(file, lines, delimiter or DELIMITERS[kind], report)
    except FileNotFoundError:
        raise DataError(f"{file}: is missing") from None
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}") from None


def _counted(raw: IO[bytes], bar: Any) -> Iterator[bytes]:
    while line := raw.readline(LONGEST_LINE + 1):
        bar.update(len(line))
        yield line


def _lines(file: Path, lines: Iterator[bytes], encoding: str) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE:
            raise DataError(f"{file}: line {number}: is longer than {LONGEST_LINE:,} bytes")
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError as error:
            raise DataError(
                f"{file}: line {number}: is not {encoding} (byte 0x{line[error.start]:02x} at "
                f"{error.start + 1}); name its encoding, such as --encoding cp1252"
            ) from None
        yield text.removeprefix("\ufeff") if number == 1 else text


def _csv_rows(
    file: Path, lines: Iterator[str], delimiter: str, report: Report
) -> Iterator[TableRow]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] = []
    while True:
        first = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            report(LineError(file, first, f"is not CSV: {error}"))
            continue
        if cells is None:
            break
        if not header:
            header = _header(file, [cell.strip() for cell in cells])
        elif len(cells) > len(header) and any(cells[len(header) :]):
            message = f"has {len(cells)} columns, the header has {len(header)}"
            report(LineError(file, first, message))
        elif values := _stripped(zip(header, cells, strict=False)):
            yield TableRow(file, first, values)
    if not header:
        raise DataError(f"{file}: is empty; the first line must name the columns")


def _header(file: Path, names: list[str]) -> list[str]:
    repeated = {name for name in names if name and names.count(name) > 1}
    if repeated:
        raise DataError(f"{file}: line 1: has two columns {min(repeated)!r}")
    return names


def _json_rows(file: Path, lines: Iterator[str], report: Report) -> Iterator[TableRow]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            report(LineError(file, number, f"is not JSON: {str(error).partition(':')[0]}"))
            continue
        if not isinstance(found, dict):
            report(LineError(file, number, "is not a JSON object"))
            continue
        bad = [name for name, value in found.items() if isinstance(value, (list, dict))]
        if bad:
            report(LineError(file, number, f"{bad[0]!r} is not a text"))
            continue
        texts = ((name, "" if value is None else str(value)) for name, value in found.items())
        if values := _stripped(texts):
            yield TableRow(file, number, values)


def _stripped(cells: Any) -> dict[str, str]:
    return {name: text for name, value in cells if name and (text := value.strip())}
