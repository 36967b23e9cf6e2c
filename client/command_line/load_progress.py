"""How a load test gets on: one line a step, and a bar meanwhile on a terminal."""

from __future__ import annotations

import sys
import time

from client.command_line.bars import bar, needs_ascii
from client.load.report import level_line, step_line
from client.load.saturation import Level
from client.load.statistics import Step

REDRAW_SECONDS = 0.25


class TerminalObserver:
    """Writes to standard error, so that the report alone goes to standard output."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._ascii_only = needs_ascii(sys.stderr)
        self._name = ""
        self._drawn_at = 0.0

    def began(self, name: str) -> None:
        """Show which level or step runs."""
        self._name = name
        if self._is_terminal:
            self._draw(f"{name} …")

    def progress(self, done: int, of: int) -> None:
        """Redraw the bar, a few times a second at most."""
        now = time.monotonic()
        if self._is_terminal and now - self._drawn_at >= REDRAW_SECONDS:
            self._drawn_at = now
            drawn = bar(done / of, ascii_only=self._ascii_only)
            self._draw(f"{self._name} {drawn} {done:,} of {of:,}")

    def level_ended(self, level: Level) -> None:
        """One line for the level."""
        self._line(level_line(level))

    def step_ended(self, step: Step) -> None:
        """One line for the step."""
        self._line(step_line(step))

    def _draw(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()

    def _line(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text}\n" if self._is_terminal else f"{text}\n")
        sys.stderr.flush()
