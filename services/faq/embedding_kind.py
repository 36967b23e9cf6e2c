"""Which sentence embedding a model has."""

from __future__ import annotations

from enum import StrEnum


class EmbeddingKind(StrEnum):
    """Where the meaning of a text is from."""

    NONE = "none"
    MINILM = "minilm"
    """all-MiniLM-L6-v2: better answers for more time, memory and packages."""
