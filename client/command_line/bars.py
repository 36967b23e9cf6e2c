"""Ranked results as lines of text."""

from __future__ import annotations

import textwrap
from typing import TextIO

BAR_WIDTH = 20
EIGHTHS = " ▏▎▍▌▋▊▉"


def bar(score: float, *, width: int = BAR_WIDTH, ascii_only: bool = False) -> str:
    """A bar whose length shows ``score``, 0 to 1, in a field of ``width`` columns."""
    share = min(1.0, max(0.0, score))
    if ascii_only:
        return ("#" * round(share * width)).ljust(width)
    whole, rest = divmod(round(share * width * 8), 8)
    return ("█" * whole + (EIGHTHS[rest] if rest else "")).ljust(width)


def needs_ascii(stream: TextIO) -> bool:
    """Whether a stream cannot write block characters."""
    try:
        EIGHTHS.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False


def ranked_line(place: int, score: float, text: str, *, ascii_only: bool) -> str:
    """One result of a ranked list."""
    return f"{place:>2}. {score:5.3f} {bar(score, ascii_only=ascii_only)} {text}"


def indented(text: str, indent: str, width: int) -> str:
    """``text`` wrapped to ``width`` columns; lines that begin with spaces are kept as they are."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith(" ") or not line:
            lines.append(f"{indent}{line}".rstrip())
        else:
            lines += textwrap.wrap(
                line, width, initial_indent=indent, subsequent_indent=indent,
                break_long_words=False, break_on_hyphens=False,
            )  # fmt: skip
    return "\n".join(lines)
