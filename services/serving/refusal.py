"""The refusal of a service at capacity.

It must cost far less than an answer, or a service that gets three times what it can do would spend
its time refusing. So it is given before keys and body, and made once.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import secrets
import time
from collections.abc import Callable, Iterable

from services.serving.admission import at_capacity
from services.serving.http.message import Reply, header_lines
from services.serving.problem import problem_type, whole_seconds

log = logging.getLogger(__name__)

REPORT_SECONDS = 1.0
REFUSAL = at_capacity(0).body("ID").split(b"ID")
"""The answer, in front of and behind the request's id."""


class Refusals:
    """Makes, counts and reports refusals, on the event loop.

    Args:
        rules: those that paths of requests follow.
        count: called with the rule of each refusal.
    """

    def __init__(self, rules: Iterable[str], count: Callable[[str], None]) -> None:
        self._count = count
        self._lines = {
            rule: header_lines(
                (("Content-Type", problem_type(rule)), ("Cache-Control", "no-store"))
            )
            for rule in rules
        }
        self._process_id = secrets.token_hex(4)
        self._numbers = itertools.count()
        self._unreported = 0
        self._reported_at = -math.inf

    def reply(self, rule: str, wait_seconds: float) -> Reply:
        """The refusal of a request that may come back after the predicted wait."""
        request_id = f"{self._process_id}{next(self._numbers):08x}"
        self._count(rule)
        self._report()
        headers = [("Retry-After", whole_seconds(wait_seconds)), ("X-Request-Id", request_id)]
        return Reply(503, headers, request_id.encode().join(REFUSAL), self._lines[rule])

    def _report(self) -> None:
        """Log refusals as a count a second: a line each would cost as much as the answer."""
        self._unreported += 1
        if self._unreported > 1:
            return  # The first one has a report on its way.
        wait_seconds = self._reported_at + REPORT_SECONDS - time.monotonic()
        if wait_seconds > 0:
            asyncio.get_running_loop().call_later(wait_seconds, self._log)
        else:
            self._log()

    def _log(self) -> None:
        refused, self._unreported, self._reported_at = self._unreported, 0, time.monotonic()
        log.warning("requests refused at capacity", extra={"refused": refused})
