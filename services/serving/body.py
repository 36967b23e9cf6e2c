"""Reading request bodies within limits: size, decompressed size, completeness."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol
from wsgiref.types import WSGIEnvironment

from werkzeug.http import parse_options_header

from services.serving.problem import Problem

CODINGS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
"""Content codings that are understood, with zlib's window argument for each."""


class ByteStream(Protocol):
    """Where a body comes from, such as ``wsgi.input``."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes; fewer only at the end."""
        ...


class WatchedBody:
    """A request's body, which knows whether all of it has been read.

    Attributes:
        missing: declared bytes that were not read yet; 0 or less for a chunked body.
        is_complete: whether nothing is left to read.
    """

    def __init__(self, environ: WSGIEnvironment) -> None:
        declared = environ.get("CONTENT_LENGTH") or "0"
        chunked = "HTTP_TRANSFER_ENCODING" in environ
        self._stream: ByteStream = environ["wsgi.input"]
        self.missing = int(declared) if declared.isascii() and declared.isdigit() else 0
        self.is_complete = not chunked and not self.missing

    def read(self, size: int = -1, /) -> bytes:
        """As the stream's own ``read``."""
        piece = self._stream.read(size)
        self.missing -= len(piece)
        if not piece or self.missing == 0:
            self.is_complete = True
        return piece


def read_body(
    stream: ByteStream,
    *,
    declared: str | None,
    coding: str,
    limit: int,
    timed_out: Callable[[], bool] = lambda: False,
) -> bytes:
    """A whole request body, decompressed, of at most ``limit`` bytes.

    granian 2.8 ends a chunked body that is cut off as if it had been complete. What a model
    accepts must therefore say itself where it ends, as JSON, pictures and gzip do.

    Args:
        stream: where the body comes from.
        declared: the Content-Length header; None for a chunked body.
        coding: the Content-Encoding header, lower case; empty for none.
        limit: most bytes, before and after decompression.
        timed_out: whether the stream was cut because the body took too long.

    Raises:
        Problem: 413 too large, 400 cut short or corrupt, 408 too slow, 415 unknown coding.
    """
    expected = _content_length(declared)
    if coding not in ("", "identity") and coding not in CODINGS:
        raise Problem(
            415,
            "This content coding is not understood.",
            headers={"Accept-Encoding": "gzip, deflate"},
        )
    if expected is not None and expected > limit:
        raise too_large(limit)
    try:
        body = _read(stream, limit + 1 if expected is None else expected)
    except OSError:
        body = None
    if timed_out():
        raise Problem(408, "The body took too long to arrive.", headers={"Connection": "close"})
    if body is None:
        raise Problem(400, "The body was cut short.", headers={"Connection": "close"})
    if expected is not None and len(body) < expected:
        raise Problem(400, "The body is shorter than its Content-Length.")
    if len(body) > limit:
        raise too_large(limit)
    return decompress(body, CODINGS[coding], limit) if coding in CODINGS else body


def decompress(body: bytes, window: int, limit: int) -> bytes:
    """``body`` decompressed, never producing more than ``limit`` bytes.

    Raises:
        Problem: 413 for more than ``limit`` bytes, 400 for a corrupt or unfinished stream.
    """
    decompressor = zlib.decompressobj(window)
    try:
        plain = decompressor.decompress(body, limit + 1)
    except zlib.error:
        raise Problem(400, "The compressed body is corrupt.") from None
    if len(plain) > limit:
        raise too_large(limit)
    if not decompressor.eof or decompressor.unused_data:
        raise Problem(400, "The compressed body is not one complete stream.")
    return plain


def media_type(header: str) -> tuple[str, dict[str, str]]:
    """A Content-Type header as its lower-case media type and its parameters."""
    name, parameters = parse_options_header(header)
    return name.lower(), parameters


def too_large(limit: int) -> Problem:
    """The answer to a body over the limit."""
    return Problem(
        413, f"The body is larger than {limit:,} bytes.", headers={"Connection": "close"}
    )


def _content_length(declared: str | None) -> int | None:
    if declared is None or declared == "":
        return None
    if not declared.isascii() or not declared.isdigit() or len(declared) > 18:
        raise Problem(400, "The Content-Length is not a number.")
    return int(declared)


def _read(stream: ByteStream, size: int) -> bytes:
    pieces: list[bytes] = []
    while size > 0:
        piece = stream.read(size)
        if not piece:
            break
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
