"""The rows of a dump's XML file, one after the other, trusting nothing.

A document type is refused, so no entity can be declared, let alone expanded or fetched; what is
not UTF-8 or not well-formed costs the row it is in, and no more; a row has a largest size.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

from services.faq.records import DataError

LARGEST_ROW: Final = 1 << 21
"""Bytes of the largest row; a post has at most 30,000 characters of Markdown."""
MOST_BROKEN_ROWS: Final = 10_000
_LONGEST_NAME: Final = 16
"""Bytes of `</postlinks>` and a few more."""
_TAG_MISMATCH: Final = expat.errors.codes[expat.errors.XML_ERROR_TAG_MISMATCH]
_ENCODINGS: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


@dataclass(frozen=True)
class Row:
    """One `<row …/>`: its attributes, and the byte of the file that it begins at."""

    start: int
    attributes: dict[str, str]


@dataclass(frozen=True)
class BrokenRow:
    """A row that is left out, and why."""

    reason: str


class XmlRows:
    """Reads the rows of one document in order."""

    def __init__(self, file: str, root: str, start: int = 0) -> None:
        """Begin at the start of the file, or at byte `start`, where a row begins.

        Args:
            file: what errors call it.
            root: name of the element that the rows are in.
            start: where the first of the bytes that will come is in the file.
        """
        self._file = file
        self._root = root
        self._resumable = re.compile(rf"<row(?=[\s/>])|</{root}(?=[\s>])".encode())
        """Where reading can go on after a broken row; in a value, `<` is always escaped."""
        self._broken = 0
        self._seen_root = start > 0
        self._read = start
        self._row_start = start
        self._wrong = -1
        """Where parsing stopped last."""
        self._rows: list[Row | BrokenRow] = []
        self._tail = b""
        self._searching = False
        self._parser = self._new_parser(start)

    def rows(self, pieces: Iterable[bytes]) -> Iterator[Row | BrokenRow]:
        """Yield the rows of the file whose bytes are `pieces`.

        Raises:
            DataError: it is not XML of this kind, ends too early, or too many rows are broken.
        """
        for piece in pieces:
            self._feed(piece)
            yield from self._taken()
        self._finish()
        yield from self._taken()

    def _taken(self) -> list[Row | BrokenRow]:
        rows, self._rows = self._rows, []
        return rows

    def _feed(self, piece: bytes) -> None:
        self._refuse_utf16(piece)
        with_tail = self._tail + piece
        self._parse(with_tail, self._read - len(self._tail))
        self._read += len(piece)
        self._tail = with_tail[-_LONGEST_NAME:]
        if not self._searching and self._read - self._row_start > LARGEST_ROW + len(piece):
            self._break_off(f"larger than {LARGEST_ROW:,} bytes")
            self._searching = True

    def _parse(self, piece: bytes, start: int) -> None:
        """Parse a piece over as many broken rows as it has.

        Args:
            piece: the last bytes of the piece before, which a name may begin in, and a new piece.
            start: where it is in the file.
        """
        offset = 0 if self._searching else len(self._tail)
        while True:
            if self._searching:
                found = self._resumable.search(piece, offset)
                if not found:
                    return
                offset = found.start()
                self._searching = False
                self._parser = self._new_parser(start + offset)
            try:
                self._parser.Parse(piece[offset:], False)
            except expat.ExpatError as error:
                wrong = self._base + self._parser.ErrorByteIndex - start
                if error.code == _TAG_MISMATCH:
                    wrong -= len("</")
                wrong = max(0, wrong)
                if start + wrong != self._wrong:
                    self._break_off(_reason(error, piece[wrong : wrong + 1]))
                # Where a quote is missing, it is at the next row's start that parsing stops: it is
                # tried again from there, once.
                offset = wrong if start + wrong > max(self._row_start, self._wrong) else wrong + 1
                self._wrong = start + wrong
                self._searching = True
            else:
                return

    def _finish(self) -> None:
        if self._searching:
            raise self._error("ends in a broken row; the file is not complete")
        try:
            self._parser.Parse(b"", True)
        except expat.ExpatError:
            if not self._seen_root:
                raise self._error("is empty, or is not XML") from None
            raise self._error("ends too early; the file is not complete") from None

    def _break_off(self, reason: str) -> None:
        if not self._seen_root:
            raise self._error(f"is not XML: {reason}")
        self._rows.append(BrokenRow(reason))
        self._broken += 1
        if self._broken > MOST_BROKEN_ROWS:
            raise self._error(
                f"has more than {MOST_BROKEN_ROWS:,} broken rows (the last: {reason}); "
                "the file is damaged"
            )

    def _new_parser(self, start: int) -> expat.XMLParserType:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.XmlDeclHandler = self._check_encoding
        parser.StartElementHandler = self._start_element
        self._base = self._row_start = start
        if start:
            # In the middle of the file: the parser is told what it is inside of.
            inside = f"<{self._root}>".encode()
            self._base -= len(inside)
            parser.Parse(inside, False)
        return parser

    def _start_element(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self._row_start = self._base + self._parser.CurrentByteIndex
            self._rows.append(Row(self._row_start, attributes))
        elif not self._seen_root:
            if name != self._root:
                raise self._error(
                    f"is not {self._root} of a Stack Exchange dump, but <{name[:40]}>"
                )
            self._seen_root = True

    def _check_encoding(self, version: str, encoding: str | None, standalone: int) -> None:  # noqa: ARG002
        if encoding and encoding.lower() not in _ENCODINGS:
            raise self._error(f"is encoded in {encoding[:40]}; UTF-8 is needed")

    def _refuse_doctype(self, *_: object) -> None:
        raise self._error("declares a document type, which no dump does; it is not read")

    def _refuse_utf16(self, piece: bytes) -> None:
        if self._read == 0 and piece[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise self._error("is encoded in UTF-16; UTF-8 is needed")

    def _error(self, message: str) -> DataError:
        return DataError(f"{self._file}: {message}")


def _reason(error: expat.ExpatError, wrong: bytes) -> str:
    if wrong >= b"\x80":
        return "not UTF-8"
    return expat.ErrorString(error.code) or "not well-formed"
