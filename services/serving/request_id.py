"""What a request is called in its answer, in the log and among the traces."""

from __future__ import annotations

import random
import re

from services.serving.header_values import HeaderValues

WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ids = random.Random()  # noqa: S311 - an id has to differ from others, and may be guessed


def request_id_of(headers: HeaderValues) -> str:
    """The id that a request brings, if it is well-formed, or a new one."""
    asked = headers.get("X-Request-Id", "")
    return asked if WELL_FORMED.fullmatch(asked) else new_request_id()


def new_request_id() -> str:
    """An id for what brings none."""
    return f"{_ids.getrandbits(64):016x}"
