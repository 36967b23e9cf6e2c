"""What the commands of the stack print on: a terminal, a file, or a pipe whose reader may go."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from typing import Any

BOLD, DIM, END = "\033[1m", "\033[2m", "\033[0m"


@dataclass(frozen=True)
class Screen:
    """What a command's lines are printed on.

    Attributes:
        width: columns; None where nothing limits them, as in a file.
        colours: whether it understands ANSI's.
    """

    width: int | None = None
    colours: bool = False

    def styled(self, style: str, text: str) -> str:
        """The text in a style, where there are any."""
        return f"{style}{text}{END}" if self.colours else text


def screen() -> Screen:
    """Where standard output goes: colours are a terminal's, and not with NO_COLOR (no-color.org)."""
    if not sys.stdout.isatty():
        return Screen()
    return Screen(shutil.get_terminal_size().columns, "NO_COLOR" not in os.environ)


def print_json(document: Any) -> None:
    """Print a document for programs."""
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    print()


def forget_the_reader() -> None:
    """Whoever read the output has gone; the interpreter must not try to flush it at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
