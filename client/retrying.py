"""When a request is tried again, and how long to wait before.

Scoring changes nothing on the service, so what a refusal says "later" to (429, 503) and what
reached no service is tried again. What a service may have begun with when the connection was cut
is sent again only if it is a question: a picture on which one pod died must not be handed to the
next (decision 8). A gateway's 503 does not say whether a pod was lost or none was there.

The wait grows exponentially, with jitter over the whole interval so that clients refused together
do not return together (Brooker, "Exponential Backoff And Jitter", 2015, "full jitter"), and is
never shorter than Retry-After.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from client.errors import AtCapacity, ConnectionCut, RateLimited, ScoringError, Unreachable

RETRY_AFTER_SPREAD = 0.25
"""Up to this share of Retry-After is added to it at random."""


@dataclass(frozen=True)
class Retries:
    """How often and how patiently to try again.

    Attributes:
        most: tries after the first one; 0 for none.
        first_wait: longest first wait, seconds; doubles with each further try.
        longest_wait: the bound of that growth, seconds.
        uniform: draws a number between two; replaced in tests.
    """

    most: int = 3
    first_wait: float = 0.2
    longest_wait: float = 5.0
    uniform: Callable[[float, float], float] = field(default=random.uniform, repr=False)

    def wait(self, tries: int, error: ScoringError, *, harmless: bool = False) -> float | None:
        """Seconds to wait before the next try; None when there shall be none.

        Args:
            tries: how many there have been, at least 1.
            error: how the last one failed.
            harmless: no service can have died of what was sent, so that a cut may pass.
        """
        if tries > self.most or not isinstance(error, RateLimited | AtCapacity | Unreachable):
            return None
        if isinstance(error, ConnectionCut) and not harmless:
            return None
        if not isinstance(error, Unreachable) and error.retry_after is not None:
            return error.retry_after * self.uniform(1.0, 1.0 + RETRY_AFTER_SPREAD)
        return self.uniform(0.0, min(self.longest_wait, self.first_wait * 2 ** (tries - 1)))


NO_RETRIES = Retries(most=0)


def read_retry_after(header: str, now: datetime | None = None) -> float | None:
    """Seconds until the time that a Retry-After header names (RFC 9110 section 10.2.3).

    Returns None for a header that is empty or neither a number of seconds nor a date.
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None
