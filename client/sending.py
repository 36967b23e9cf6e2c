"""What a call sends, and how long each part of it may wait, so that both end with its time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import httpx

PIECE_BYTES = 64 << 10
LEAST_SECONDS = 0.001
"""A socket with a timeout of 0 would not wait at all, and not call it a timeout."""
PHASES = ("pool", "connect", "write", "read")


class Body:
    """Content that is sent bit by bit until a deadline, anew each time it is iterated over.

    In one piece each part of it that the service takes would be waited for as long as the whole.

    Args:
        content: all of it.
        deadline: by the monotonic clock.

    Attributes:
        begun: whether the last try came to it; httpcore asks for it once the head has been sent.
    """

    def __init__(self, content: bytes, deadline: float) -> None:
        self._content = content
        self._deadline = deadline
        self.begun = False

    def __iter__(self) -> Iterator[bytes]:
        self.begun = True
        for start in range(0, len(self._content), PIECE_BYTES):
            if time.monotonic() > self._deadline:
                raise httpx.WriteTimeout("the service takes it too slowly")
            yield self._content[start : start + PIECE_BYTES]


class TimeLeft(Mapping[str, float]):
    """The timeouts of a request, as httpcore asks for them when a phase begins: what is left then.

    Args:
        deadline: by the monotonic clock.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline

    def __getitem__(self, phase: str) -> float:
        if phase not in PHASES:
            raise KeyError(phase)
        return max(LEAST_SECONDS, self._deadline - time.monotonic())

    def __iter__(self) -> Iterator[str]:
        return iter(PHASES)

    def __len__(self) -> int:
        return len(PHASES)
