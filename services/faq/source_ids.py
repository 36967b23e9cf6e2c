"""Ids of a team's own questions: whole numbers as they are, any other text as a number made of it.

The data, the models and the API know whole numbers. A text such as `KB-0042` or a UUID gets one that
depends on nothing but the text, so that another import, `add` and a golden set find it again.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

LONGEST_ID: Final = 200
_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,18}")
_MADE: Final = 1 << 52
"""What is made lies from here to twice this: programs that keep numbers as float64 keep it."""


def normalised(text: str) -> str:
    """Return an id as it is compared: Unicode's form NFC, white space as one blank; case counts.

    Raises:
        ValueError: it is too long, empty or cannot be printed.
    """
    found = " ".join(unicodedata.normalize("NFC", text).split())
    if not found or len(found) > LONGEST_ID or not found.isprintable():
        raise ValueError(f"must have 1 to {LONGEST_ID} characters that can be printed")
    return found


def is_whole_number(source_id: str) -> bool:
    """Whether a normalised id is a number itself."""
    return _WHOLE_NUMBER.fullmatch(source_id) is not None


def number_of(source_id: str) -> int:
    """Return the number of a normalised id.

    Two texts have the same one with a probability of 2⁻⁵²; an import finds out.
    """
    if is_whole_number(source_id):
        return int(source_id)
    digest = hashlib.sha256(source_id.encode()).digest()
    return _MADE + int.from_bytes(digest[:8], "big") % _MADE
