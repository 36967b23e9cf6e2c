"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

from pathlib import Path


def write_file(path: Path, text: str) -> None:
    """Write under another name beside it, then rename.

    Raises:
        OSError: when it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    part.write_text(text)
    part.replace(path)
