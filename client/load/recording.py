"""What happened to every request, as columns of numbers."""

from __future__ import annotations

from array import array
from enum import IntEnum

UNKNOWN = -1.0


class Outcome(IntEnum):
    """How a request ended if not with an HTTP status, which is recorded as itself."""

    PENDING = 0
    CONNECTION_FAILED = -1
    TIMED_OUT = -2
    NEVER_SENT = -3
    NOT_HTTP = -4

    @property
    def text(self) -> str:
        """In words."""
        return {
            Outcome.PENDING: "not finished",
            Outcome.CONNECTION_FAILED: "connection failed",
            Outcome.TIMED_OUT: "no answer in time",
            Outcome.NEVER_SENT: "never sent: all connections busy",
            Outcome.NOT_HTTP: "answer is not HTTP",
        }[self]


class Recording:
    """One row a request; all times in seconds on the event loop's clock.

    Attributes:
        scheduled: when it was to be sent. Latency counts from here, however late it was sent
            (Tene, "How NOT to Measure Latency", 2013: coordinated omission).
        dispatched: when the generator got to it.
        sent: when it was written to a connection; ``UNKNOWN`` if never.
        finished: when its answer was complete, or it was given up.
        outcome: HTTP status, or an :class:`Outcome`.
    """

    def __init__(self) -> None:
        self.scheduled: array[float] = array("d")
        self.dispatched: array[float] = array("d")
        self.sent: array[float] = array("d")
        self.finished: array[float] = array("d")
        self.outcome: array[int] = array("i")
        self.unfinished = 0

    def __len__(self) -> int:
        return len(self.scheduled)

    def begin(self, scheduled: float, now: float) -> int:
        """Add a request that is dispatched ``now``; returns its number."""
        self.scheduled.append(scheduled)
        self.dispatched.append(now)
        self.sent.append(UNKNOWN)
        self.finished.append(UNKNOWN)
        self.outcome.append(Outcome.PENDING)
        self.unfinished += 1
        return len(self.scheduled) - 1

    def end(self, number: int, outcome: int, now: float) -> None:
        """A request ended ``now``."""
        self.outcome[number] = outcome
        self.finished[number] = now
        self.unfinished -= 1
