"""What is told of a request once it is answered."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

CLIENT_GONE = 499
"""The status, nginx's, of a request whose client hung up before it was answered."""


@dataclass(slots=True)
class Stages:
    """How long parts of a request took, in seconds."""

    prepare: float
    render: float


@dataclass(slots=True)
class Answered:
    """A request and its answer, as metrics and the access log tell of them.

    Attributes:
        seconds: since it began.
        forwarded_for: its X-Forwarded-For header.
        reason: why it was refused, if metrics count that.
        trace_id: empty where it was not traced.
        stages: of one that the model answered.
        ended: when (``time.time``).
    """

    request_id: str
    method: str
    route: str
    status: int
    seconds: float
    peer: str
    forwarded_for: str
    bytes_in: int
    bytes_out: int
    reason: str = ""
    trace_id: str = ""
    stages: Stages | None = None
    ended: float = field(default_factory=time.time)

    @property
    def exemplar(self) -> dict[str, str]:
        """What it is found by among the traces, or else in the log."""
        if self.trace_id:
            return {"trace_id": self.trace_id}
        return {"request_id": self.request_id}
