"""Compressing a response for clients that ask for it (RFC 9110 section 12.5.3)."""

from __future__ import annotations

import zlib
from typing import Final

from werkzeug.http import parse_accept_header

from services.serving.body import CODINGS

OFFERED: Final = ("gzip", "deflate")
SMALLEST_BYTES = 1024
"""Below this the time that it takes is not earned back."""
LEVEL = 1


def compressed(body: bytes, accepted: str) -> tuple[bytes, str]:
    """``body`` and its content coding, by the request's Accept-Encoding header; "" for none."""
    if len(body) < SMALLEST_BYTES or not accepted:
        return body, ""
    coding = parse_accept_header(accepted).best_match(OFFERED, default="")
    if not coding:
        return body, ""
    compressor = zlib.compressobj(LEVEL, wbits=CODINGS[coding])
    return compressor.compress(body) + compressor.flush(), coding
