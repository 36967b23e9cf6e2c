"""Where the API key comes from: a file or the environment, never the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

VARIABLE = "SCORING_API_KEY"
KEY_LIMIT = 256
FILE_LIMIT = 4096


def find_key(key_file: Path | None, environment: Mapping[str, str]) -> str | None:
    """The key of ``key_file``, else of the environment, else None.

    Raises:
        ValueError: what was found is not a key; the message never holds it.
        OSError: the file cannot be read.
    """
    if key_file is not None:
        with key_file.open("rb") as stream:
            content = stream.read(FILE_LIMIT + 1)
        text = content.decode("ascii", "replace").strip()
        if not text:
            raise ValueError(f"{key_file}: is empty")
        return checked_key(text, source=str(key_file))
    text = environment.get(VARIABLE, "").strip()
    return checked_key(text, source=VARIABLE) if text else None


def checked_key(key: str, *, source: str = "the API key") -> str:
    """``key`` if it can be one; ValueError naming ``source`` otherwise."""
    if not 1 <= len(key) <= KEY_LIMIT or not all("!" <= letter <= "~" for letter in key):
        raise ValueError(
            f"{source}: not an API key: it must be one word of at most {KEY_LIMIT} "
            "printable ASCII characters"
        )
    return key
