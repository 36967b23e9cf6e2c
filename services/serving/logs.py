"""Structured logs: one JSON object per line on standard error, free of what users sent.

Exceptions are logged by type and place only. Their messages are left out, because they may quote
a user's text, and so are stack traces' source lines.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from types import TracebackType

from pythonjsonlogger.json import JsonFormatter


class SafeJsonFormatter(JsonFormatter):
    """JSON lines with ``time``, ``level``, ``logger``, ``message`` and the record's extras."""

    def __init__(self) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - the library's own defaults
            "%(asctime)s %(levelname)s %(name)s %(message)s",
            datefmt="%Y-%m-%dT%H:%M:%S%z",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        )

    def formatException(  # noqa: N802 - the name is the library's
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """The exception's type and the places it passed, without its message."""
        kind, error, _ = ei
        if kind is None or error is None:
            return "unknown"
        frames = traceback.extract_tb(error.__traceback__)
        places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
        return f"{kind.__name__} at {places}"


def configure_logs(level: int = logging.INFO) -> None:
    """Send every log record of this process to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(SafeJsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # These two would log a line per request of their own.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    # Both would write a traceback with the message and the source to standard error.
    logging.raiseExceptions = False
    threading.excepthook = _log_dead_thread


def _log_dead_thread(died: threading.ExceptHookArgs) -> None:
    name = died.thread.name if died.thread else ""
    logging.getLogger("threads").error(
        "a thread ended by an error",
        exc_info=died.exc_value,
        extra={"thread": name},
    )
