"""The bytes of a dump's file in pieces, decompressed on the way, never all in memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import queue
import struct
import threading
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from services.faq.records import DataError

PIECE: Final = 1 << 18
"""Bytes of the largest piece."""
_WAITING: Final = 8
"""Most pieces that wait between decompression and parsing."""

_Sink = Callable[[bytes], None]


@dataclass(frozen=True)
class DumpFile:
    """An XML file of a dump: a file of its own, compressed or not, or a member of a 7z archive."""

    path: Path
    member: str = ""

    def __str__(self) -> str:
        return f"{self.path} ({self.member})" if self.member else str(self.path)


@dataclass(frozen=True)
class ByteStream:
    """Pieces of an open file, and how far its reading is."""

    pieces: Iterator[bytes]
    size: int
    """Bytes of the file on disk."""
    position: Callable[[], int]
    """Bytes of it that were read."""


@contextmanager
def open_stream(file: DumpFile, start: int = 0) -> Generator[ByteStream]:
    """Open the decompressed bytes of `file` from byte `start` on.

    Compressed files are decompressed in a thread of its own (the libraries release the
    interpreter's lock), which is at most a few pieces ahead; what comes before `start` is
    decompressed too, and dropped.

    Raises:
        DataError: on opening or while reading: the file is missing, damaged or ends too early.
    """
    try:
        size = file.path.stat().st_size
        raw = file.path.open("rb")
    except FileNotFoundError:
        raise DataError(f"{file.path}: is missing") from None
    except OSError as error:
        raise DataError(f"{file.path}: cannot be read: {error.strerror}") from None
    with raw:
        if (push := _decompression(file, raw)) is None:
            raw.seek(start)
            pieces: Generator[bytes] = _plain(raw)
        else:
            pieces = _without_first(_pulled(push), start)
        pieces = _with_clear_errors(file, pieces)
        try:
            yield ByteStream(pieces, size, raw.tell)
        finally:
            pieces.close()


def _decompression(file: DumpFile, raw: IO[bytes]) -> Callable[[_Sink], None] | None:
    """Return what decompresses `raw` into a sink; None for a file that is not compressed."""
    match file.path.suffix.lower():
        case ".7z":
            return lambda sink: _push_member(raw, file.member, sink)
        case ".bz2":
            return lambda sink: _push(bz2.open(raw), sink)
        case ".gz":
            return lambda sink: _push(gzip.open(raw), sink)
        case _:
            return None


def _plain(raw: IO[bytes]) -> Generator[bytes]:
    while piece := raw.read(PIECE):
        yield piece


def _push(stream: io.BufferedIOBase, sink: _Sink) -> None:
    while piece := stream.read(PIECE):
        sink(piece)


def _push_member(raw: IO[bytes], member: str, sink: _Sink) -> None:
    from services.faq.importing.seven_zip import extract_member

    def in_pieces(data: bytes) -> None:
        view = memoryview(data)
        for start in range(0, len(view), PIECE):
            sink(bytes(view[start : start + PIECE]))

    extract_member(raw, member, in_pieces)


def _without_first(pieces: Generator[bytes], skipped: int) -> Generator[bytes]:
    try:
        for piece in pieces:
            if skipped < len(piece):
                yield piece[skipped:]
            skipped = max(0, skipped - len(piece))
    finally:
        pieces.close()


class _Abandoned(Exception):
    """Nobody reads the pieces any more."""


def _pulled(push: Callable[[_Sink], None]) -> Generator[bytes]:
    """Yield what `push`, in a thread of its own, gives to its sink."""
    waiting: queue.Queue[bytes | BaseException | None] = queue.Queue(_WAITING)
    abandoned = threading.Event()

    def put(item: bytes | BaseException | None) -> None:
        while not abandoned.is_set():
            try:
                waiting.put(item, timeout=0.2)
            except queue.Full:
                continue
            return
        raise _Abandoned

    def work() -> None:
        try:
            push(put)
            put(None)
        except _Abandoned:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again where the pieces are read
            if not abandoned.is_set():
                waiting.put(error)

    worker = threading.Thread(target=work, name="decompression", daemon=True)
    worker.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        abandoned.set()
        worker.join()


_DAMAGED: Final = (
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    struct.error,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    MemoryError,
    RuntimeError,
)
"""What the libraries raise for damaged files; py7zr's parser of headers does not check much."""


def _with_clear_errors(file: DumpFile, pieces: Generator[bytes]) -> Generator[bytes]:
    try:
        yield from pieces
    except DataError as error:
        raise DataError(f"{file}: {error}") from None
    except EOFError:
        raise DataError(f"{file}: ends too early; the file is not complete") from None
    except _DAMAGED:
        raise DataError(f"{file}: is damaged, or is not what its name says") from None
    except OSError as error:
        if error.errno is None:
            raise DataError(f"{file}: is damaged, or is not what its name says") from None
        raise DataError(f"{file}: cannot be read: {error.strerror}") from None
    finally:
        pieces.close()
