"""A token bucket per API key: a steady rate, with bursts of up to one second's worth."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from services.serving.problem import Problem


class RateLimiter:
    """Limits each key to ``requests_per_second``; 0 for no limit.

    The buckets live in this process, so with N pods a key gets N times the rate.
    """

    def __init__(
        self, requests_per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._default_rate = requests_per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def check(self, name: str, requests_per_second: float | None = None) -> None:
        """Take one token of ``name``'s bucket, whose rate may be its own.

        Raises:
            Problem: 429 with Retry-After when the bucket is empty.
        """
        rate = requests_per_second or self._default_rate
        if not rate:
            return
        burst = max(1.0, rate)
        now = self._clock()
        with self._lock:
            tokens, filled_at = self._buckets.get(name, (burst, now))
            tokens = min(burst, tokens + (now - filled_at) * rate)
            allowed = tokens >= 1
            self._buckets[name] = (tokens - 1 if allowed else tokens, now)
        if not allowed:
            raise Problem(
                429,
                "This API key has used up its rate.",
                retry_after_seconds=(1 - tokens) / rate,
                reason="rate",
            )
