"""Reading request bodies within limits: size, decompressed size, completeness."""

from __future__ import annotations

import zlib
from typing import Protocol

from werkzeug.http import parse_options_header

from services.serving.problem import Problem

CODINGS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
"""Content codings that are understood, with zlib's window argument for each."""


class ByteStream(Protocol):
    """Where a body comes from, such as ``wsgi.input``."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes; fewer only at the end."""
        ...


def read_body(stream: ByteStream, *, declared: str | None, coding: str, limit: int) -> bytes:
    """A whole request body, decompressed, of at most ``limit`` bytes.

    Args:
        stream: where the body comes from.
        declared: the Content-Length header; None for a chunked body.
        coding: the Content-Encoding header, lower case; empty for none.
        limit: most bytes, before and after decompression.

    Raises:
        Problem: 413 too large, 400 cut short or corrupt, 415 unknown coding.
    """
    expected = _content_length(declared)
    require_known(coding)
    if expected is not None and expected > limit:
        raise too_large(limit)
    try:
        body = _read(stream, limit + 1 if expected is None else expected)
    except OSError:
        raise cut_short() from None
    if expected is not None and len(body) < expected:
        raise Problem(400, "The body is shorter than its Content-Length.")
    if len(body) > limit:
        raise too_large(limit)
    return decoded(body, coding, limit)


def require_known(coding: str) -> None:
    """Refuse a Content-Encoding, in lower case, that is not understood.

    Raises:
        Problem: 415.
    """
    if coding not in ("", "identity") and coding not in CODINGS:
        raise Problem(
            415,
            "This content coding is not understood.",
            headers={"Accept-Encoding": "gzip, deflate"},
        )


def decoded(body: bytes, coding: str, limit: int) -> bytes:
    """A body without its Content-Encoding, a known one; see :func:`decompress`."""
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


def cut_short() -> Problem:
    """The answer to a body whose client stopped in the middle of it."""
    return Problem(400, "The body was cut short.", headers={"Connection": "close"})


def too_slow() -> Problem:
    """The answer to a body that uses up its time."""
    return Problem(408, "The body took too long to arrive.", headers={"Connection": "close"})


def parse_length(declared: str) -> int | None:
    """A Content-Length as a number; None if it is none (RFC 9110 section 8.6)."""
    is_number = declared.isascii() and declared.isdigit() and len(declared) <= 18
    return int(declared) if is_number else None


def _content_length(declared: str | None) -> int | None:
    if declared is None or declared == "":
        return None
    if (length := parse_length(declared)) is None:
        raise Problem(400, "The Content-Length is not a number.")
    return length


def _read(stream: ByteStream, size: int) -> bytes:
    pieces: list[bytes] = []
    while size > 0:
        piece = stream.read(size)
        if not piece:
            break
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
