"""Pictures to classify: reading a file within a limit, and naming the kind of its content."""

from __future__ import annotations

import stat
from pathlib import Path

FILE_LIMIT = 64 << 20

_BEGINNINGS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)


def read_picture(path: Path) -> bytes:
    """The content of a picture file; what it holds is for the service to judge.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a regular file, is empty or larger than 64 MiB.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise ValueError("is a directory; name the files in it")
    if not stat.S_ISREG(mode):
        raise ValueError("is not a regular file")
    with path.open("rb") as stream:
        content = stream.read(FILE_LIMIT + 1)
    if not content:
        raise ValueError("is empty")
    if len(content) > FILE_LIMIT:
        raise ValueError(f"is larger than {FILE_LIMIT >> 20} MiB")
    return content


def media_type_of(content: bytes) -> str:
    """The media type by the first bytes; ``application/octet-stream`` where they say nothing."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    for beginning, media_type in _BEGINNINGS:
        if content.startswith(beginning):
            return media_type
    return "application/octet-stream"
