"""HTML as plain text for a terminal."""

from __future__ import annotations

import re
from html.parser import HTMLParser

BLOCKS = frozenset(
    ("p", "div", "pre", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "table", "tr")
)
HIDDEN = frozenset(("script", "style"))


def plain_text(html: str) -> str:
    """The text of an HTML fragment: paragraphs, ``- `` items, code indented by four spaces."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return printable(re.sub(r"\n{3,}", "\n\n", "".join(reader.pieces)).strip("\n"))


def printable(text: str) -> str:
    """``text`` without control characters, which could reprogram a terminal; lines are kept."""
    expanded = text.expandtabs(4)
    return "".join(letter for letter in expanded if letter == "\n" or letter.isprintable())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0
        self._preformatted = 0

    def handle_starttag(
        self,
        tag: str,
        attrs: list[tuple[str, str | None]],  # noqa: ARG002
    ) -> None:
        if tag in HIDDEN:
            self._hidden += 1
        elif tag == "br":
            self.pieces.append("\n")
        elif tag == "li":
            self._line("- ")
        elif tag in BLOCKS:
            self._line("\n")
        if tag == "pre":
            self._preformatted += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "pre":
            self._preformatted = max(0, self._preformatted - 1)
        if tag in BLOCKS:
            self._line("\n")

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._preformatted:
            self.pieces.append("\n".join(f"    {line}" for line in data.rstrip("\n").split("\n")))
            return
        at_line_start = not self.pieces or self.pieces[-1].endswith("\n")
        words = re.sub(r"\s+", " ", data)
        self.pieces.append(words.lstrip() if at_line_start else words)

    def _line(self, beginning: str) -> None:
        """Begin a new line, and an empty one before it for a block."""
        if self.pieces and not self.pieces[-1].endswith("\n"):
            self.pieces.append("\n")
        self.pieces.append(beginning)
