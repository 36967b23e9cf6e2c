"""The headers of a request, as whoever reads them needs them."""

from __future__ import annotations

from typing import Protocol


class HeaderValues(Protocol):
    """Values by name; a request's own are looked up without regard to case."""

    def get(self, key: str, default: str, /) -> str:
        """The value of a header, or ``default``."""
        ...
