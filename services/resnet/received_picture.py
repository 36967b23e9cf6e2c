"""Finding the bytes of a picture in a request: raw, in a form, or as base64."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Final

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser

from services.serving.problem import Problem

FORM_FIELD: Final = "image"

_LARGEST_FORM_TEXT: Final = 65_536
_MOST_FORM_PARTS: Final = 16
_LONGEST_BOUNDARY: Final = 200

# What the predecessor's clients sent: str(bytes), or JSON text within JSON text. A data URL is what
# browsers make.
_WRAPPING: Final = re.compile(r"""^[\s"']*(?:b['"])?[\s"']*(?:data:image/[a-z+.-]+;base64,)?""")


def from_form(body: bytes, options: Mapping[str, str]) -> bytes:
    """Return the file in the field `image` of a multipart/form-data body (RFC 7578).

    Raises Problem: 400 for a form that cannot be read, 413 for one with too many parts, 422 for one
    without that file.
    """
    boundary = options.get("boundary", "")
    if not boundary or len(boundary) > _LONGEST_BOUNDARY or not boundary.isascii():
        raise Problem(400, "The multipart form does not name its boundary.")
    # Parts are kept in memory, where the body is already: the container's file system is read-only.
    parser = MultiPartParser(
        stream_factory=_in_memory,
        max_form_memory_size=_LARGEST_FORM_TEXT,
        max_form_parts=_MOST_FORM_PARTS,
    )
    try:
        _, files = parser.parse(BytesIO(body), boundary.encode("ascii"), len(body))
    except RequestEntityTooLarge:
        raise Problem(413, "The multipart form has too many parts, or too long a text.") from None
    except ValueError:
        raise Problem(400, "The multipart form cannot be read.") from None
    file = files.get(FORM_FIELD)
    if file is None:
        raise Problem(422, f"The multipart form has no file in the field {FORM_FIELD}.")
    return file.stream.read()


def from_base64(text: str) -> bytes:
    """Decode base64 (RFC 4648, section 4) strictly.

    Raises Problem (422) for anything else.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Problem(422, "The picture is not valid base64.") from None


def from_predecessor_base64(text: str) -> bytes:
    r"""Decode base64 as the predecessor did.

    Stray quotes or b'…' round it, white space within it and missing padding are allowed.

    Raises Problem (422) where nothing can be made of it.
    """
    stripped = _WRAPPING.sub("", text, count=1).rstrip("\"' \t\r\n\\")
    compact = "".join(stripped.split()).rstrip("=")
    try:
        return base64.b64decode(compact + "=" * (-len(compact) % 4))
    except (binascii.Error, ValueError):
        raise Problem(422, "A picture is not valid base64.") from None


def _in_memory(*_: object, **__: object) -> IO[bytes]:
    return BytesIO()
