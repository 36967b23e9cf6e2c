"""Writing the data's files: under temporary names, renamed together when all are complete."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from services.faq.attribution import ATTRIBUTION_FILE, Attribution
from services.faq.records import ANSWERS_FILE, DUPLICATES_FILE, FILES, ORIGINALS_FILE, DataError

REPORT_FILE: Final = "import-report.json"
WRITTEN: Final = (*FILES, ATTRIBUTION_FILE, REPORT_FILE)


class DataWriter:
    """Takes the lines of the files; texts must be one line each."""

    def __init__(self, streams: dict[str, io.BufferedIOBase]) -> None:
        self._streams = streams

    def original(self, number: int, answer: int, text0: str, created: str) -> None:
        """Write a line of the originals' file."""
        self._line(ORIGINALS_FILE, number, answer, text0, created)

    def duplicate(self, number: int, answer: int, text0: str, created: str) -> None:
        """Write a line of the duplicates' file."""
        self._line(DUPLICATES_FILE, number, answer, text0, created)

    def answer(self, number: int, html: str) -> None:
        """Write a line of the answers' file."""
        self._line(ANSWERS_FILE, number, html)

    def attribution(self, attribution: Attribution) -> None:
        """Write a line of the attributions' file."""
        self._streams[ATTRIBUTION_FILE].write(attribution.line())

    def report(self, document: bytes) -> None:
        """Write the report."""
        self._streams[REPORT_FILE].write(document)

    def _line(self, file: str, *fields: object) -> None:
        self._streams[file].write(("\t".join(map(str, fields)) + "\n").encode())


def refuse_existing(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that already holds data.

    Raises:
        DataError: it does, and `overwrite` is not set; or it is not a folder.
    """
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder}: is not a folder")
    if not overwrite and (present := [name for name in FILES if (folder / name).exists()]):
        raise DataError(
            f"{folder}: already holds {', '.join(present)}; choose another folder for --data, or "
            "give --overwrite"
        )


@contextmanager
def new_data(folder: Path) -> Generator[DataWriter]:
    """Write the files; on any exception, a full disk and Ctrl-C among them, none is left behind.

    The same lines give the same bytes.
    """
    unfinished = {name: folder / f".{name}.new" for name in WRITTEN}
    try:
        with ExitStack() as stack:
            yield DataWriter(
                {name: stack.enter_context(_opened(path)) for name, path in unfinished.items()}
            )
        for name, path in unfinished.items():
            path.replace(folder / name)
    finally:
        for path in unfinished.values():
            path.unlink(missing_ok=True)


@contextmanager
def _opened(path: Path) -> Generator[io.BufferedIOBase]:
    with path.open("wb") as raw:
        if path.suffixes[-2:-1] == [".gz"]:
            with gzip.GzipFile("", "wb", fileobj=raw, mtime=0, compresslevel=6) as stream:
                yield stream
        else:
            yield raw
        raw.flush()
        os.fsync(raw.fileno())
