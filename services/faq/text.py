"""Turning a question as posted (HTML, Markdown or plain text) into clean prose and code.

Data and posted questions are cleaned alike, so that both meet in the same space.
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Final

from services.faq.stored_text import split_stored

ANALYSED_CHARACTERS: Final = 8_192
"""Only this many leading characters of a text are looked at; what follows has no influence."""

_BLOCK_TAGS: Final = frozenset(
    {"p", "br", "hr", "ul", "ol", "li", "dl", "dt", "dd", "pre", "blockquote", "div"}
    | {"table", "tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6"}
)
_IGNORED_TAGS: Final = frozenset({"script", "style"})
_MARKUP: Final = re.compile(r"</(?:p|pre|code|blockquote|li|a|strong|em|h[1-6])\s*>", re.IGNORECASE)
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,31}\d{0,2});")
_UNWANTED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")
_FENCE: Final = re.compile(r"```[^\n`]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_INLINE_CODE: Final = re.compile(r"`([^`\n]+)`")
_LEAK: Final = re.compile(
    r"\b(?:possible|exact) duplicates?\s*(?::|of\b\s*:?)"
    r"|\bthis question already has (?:an )?answers?\b",
    re.IGNORECASE,
)
_LEAK_IN_PLAIN_TEXT: Final = re.compile(
    rf"(?:{_LEAK.pattern})\s*[^\n]*?(?:[.?!](?=\s|\Z)|\n|\Z)", re.IGNORECASE
)


@dataclass(frozen=True)
class CleanText:
    """A question without markup: `title` (may be empty), `prose` of the body, and `code`.

    Inline code is in `prose`, where it is part of a sentence, and in `code` as well; code blocks
    are only in `code`.
    """

    title: str
    prose: str
    code: str

    @property
    def length(self) -> int:
        """Characters of title and prose, which is what `min_text` counts."""
        return len(self.title) + len(self.prose)


@dataclass(frozen=True)
class _Line:
    text: str
    quote: int
    """Number of the surrounding blockquote, 0 outside of any."""
    is_link: bool
    """Whether the line is a link and nothing else."""


def clean_stored(text0: str) -> CleanText:
    """Clean a stored text: `title + ". " + HTML body`, or plain text, which is then all title."""
    title, body = split_stored(_printable(text0))
    return replace(_clean_body(body), title=_one_space(_without_leaks(title)))


def clean_posted(text: str) -> CleanText:
    """Clean a posted question, which has no separate title. Safe for any `str`."""
    return _clean_body(_printable(text))


def _printable(text: str) -> str:
    text = _UNWANTED.sub(" ", text[:ANALYSED_CHARACTERS])
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _clean_body(text: str) -> CleanText:
    if _MARKUP.search(text):
        return _clean_html(text)
    if "&" in text and _ENTITY.search(text):
        text = html.unescape(text)
    return _clean_plain(text)


def _clean_html(text: str) -> CleanText:
    reader = _BodyReader()
    reader.feed(text)
    reader.close()
    reader.end_line()
    prose = " ".join(line.text for line in _lines_without_leaks(reader.lines))
    return CleanText("", _one_space(prose), " ".join(reader.code))


def _clean_plain(text: str) -> CleanText:
    if "`" not in text:
        return CleanText("", _one_space(_without_leaks(text)), "")
    code = _FENCE.findall(text)
    text = _FENCE.sub(" ", text)
    code += _INLINE_CODE.findall(text)
    prose = _without_leaks(text.replace("`", " "))
    return CleanText("", _one_space(prose), " ".join(code))


def _one_space(text: str) -> str:
    return " ".join(text.split())


def _without_leaks(text: str) -> str:
    """Drop "Possible Duplicate: title of the original" from plain text, to its sentence's end."""
    return _LEAK_IN_PLAIN_TEXT.sub(" ", text)


def _lines_without_leaks(lines: list[_Line]) -> list[_Line]:
    """Drop the notice that names the original: its line, its blockquote, links right after it."""
    quotes = {line.quote for line in lines if line.quote and _LEAK.search(line.text)}
    kept: list[_Line] = []
    in_notice = False
    for line in lines:
        if line.quote in quotes or _LEAK.search(line.text):
            in_notice = True
        elif not (in_notice and line.is_link):
            in_notice = False
            kept.append(line)
    return kept


class _BodyReader(HTMLParser):
    """Collects the lines of prose and the pieces of code of an HTML body."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[_Line] = []
        self.code: list[str] = []
        self._pieces: list[str] = []
        self._plain_pieces = 0
        self._open: dict[str, int] = {}
        self._quotes = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in _BLOCK_TAGS:
            self.end_line()
        if tag == "blockquote" and not self._inside("blockquote"):
            self._quotes += 1
        if tag not in {"br", "hr", "img"}:
            self._open[tag] = self._open.get(tag, 0) + 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in _BLOCK_TAGS:
            self.end_line()

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCK_TAGS:
            self.end_line()
        self._open[tag] = max(0, self._open.get(tag, 0) - 1)

    def handle_data(self, data: str) -> None:
        if any(self._inside(tag) for tag in _IGNORED_TAGS):
            return
        if self._inside("pre"):
            self.code.append(data)
            return
        if self._inside("code"):
            self.code.append(data)
        self._pieces.append(data)
        if not self._inside("a") and not data.isspace():
            self._plain_pieces += 1

    def end_line(self) -> None:
        """Close the line that is being read."""
        text = "".join(self._pieces)
        if not text.isspace() and text:
            quote = self._quotes if self._inside("blockquote") else 0
            self.lines.append(_Line(text, quote, is_link=self._plain_pieces == 0))
        self._pieces = []
        self._plain_pieces = 0

    def _inside(self, tag: str) -> bool:
        return self._open.get(tag, 0) > 0
