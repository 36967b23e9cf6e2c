"""Turning a question as posted (HTML, Markdown or plain text) into clean prose and code.

Data and posted questions are cleaned alike, so that both meet in the same space.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Final

from services.faq import leaks
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

    @property
    def words(self) -> str:
        """All of it, without what the matcher hardly sees: case, and how much space is where."""
        return " ".join(f"{self.title} {self.prose} {self.code}".casefold().split())


@dataclass(frozen=True)
class _Line:
    text: str
    quote: int
    """Number of the surrounding blockquote, 0 outside of any."""
    plain: str
    """The part of the line that is outside of links."""


def clean_stored(text0: str, *, strip: bool = True) -> CleanText:
    """Clean a stored text: `title + ". " + HTML body`, or plain text, which is then all title.

    Args:
        text0: the text.
        strip: whether what gives the original away is stripped; False to measure what it is worth.
    """
    title, body = split_stored(_printable(text0))
    clean = _clean_body(body, _Stripping(strip))
    return replace(clean, title=_one_space(leaks.without_notices(title) if strip else title))


def clean_posted(text: str, *, strip: bool = True, links_to: Collection[int] = ()) -> CleanText:
    """Clean a posted question, which has no separate title. Safe for any `str`.

    Args:
        text: the question.
        strip: whether what gives the original away is stripped.
        links_to: ids of questions and answers, links to which are stripped with their texts.
    """
    return _clean_body(
        _printable(text), _Stripping(strip, frozenset(links_to) if strip else frozenset())
    )


def _printable(text: str) -> str:
    text = _UNWANTED.sub(" ", text[:ANALYSED_CHARACTERS])
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@dataclass(frozen=True)
class _Stripping:
    """What is stripped of a text besides its markup."""

    notices: bool
    links_to: frozenset[int] = frozenset()


def _clean_body(text: str, stripping: _Stripping) -> CleanText:
    if _MARKUP.search(text):
        return _clean_html(text, stripping)
    if "&" in text and _ENTITY.search(text):
        text = html.unescape(text)
    return _clean_plain(text, stripping)


def _clean_html(text: str, stripping: _Stripping) -> CleanText:
    reader = _BodyReader(stripping.links_to)
    reader.feed(text)
    reader.close()
    reader.end_line()
    lines = _without_notices(reader.lines) if stripping.notices else reader.lines
    prose = " ".join(line.text for line in lines)
    return CleanText("", _one_space(prose), " ".join(reader.code))


def _clean_plain(text: str, stripping: _Stripping) -> CleanText:
    if stripping.links_to:
        text = leaks.without_links(text, stripping.links_to)
    if stripping.notices:
        text = leaks.without_notices(text)
    if "`" not in text:
        return CleanText("", _one_space(text), "")
    code = _FENCE.findall(text)
    text = _FENCE.sub(" ", text)
    code += _INLINE_CODE.findall(text)
    return CleanText("", _one_space(text.replace("`", " ")), " ".join(code))


def _one_space(text: str) -> str:
    return " ".join(text.split())


def _without_notices(lines: list[_Line]) -> list[_Line]:
    """Drop notices that name the original, with the blockquote they are in and what follows."""
    quotes = {line.quote for line in lines if line.quote and leaks.notice_start(line.text) >= 0}
    kept: list[_Line] = []
    in_notice = False
    for line in lines:
        start = 0 if line.quote in quotes else leaks.notice_start(line.text)
        if start >= 0:
            in_notice = True
            kept.append(replace(line, text=line.text[:start]))
        elif not (in_notice and leaks.belongs_to_notice(line.plain)):
            in_notice = False
            kept.append(replace(line, text=leaks.without_status(line.text)))
    return kept


class _BodyReader(HTMLParser):
    """Collects the lines of prose and the pieces of code of an HTML body."""

    def __init__(self, links_to: frozenset[int]) -> None:
        super().__init__(convert_charrefs=True)
        self._links_to = links_to
        self._dropped_link = False
        self.lines: list[_Line] = []
        self.code: list[str] = []
        self._pieces: list[str] = []
        self._plain_pieces: list[str] = []
        self._open: dict[str, int] = {}
        self._quotes = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCK_TAGS:
            self.end_line()
        if tag == "a" and self._links_to:
            self._dropped_link = leaks.is_link_to(dict(attrs).get("href") or "", self._links_to)
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
        if tag == "a":
            self._dropped_link = False
        self._open[tag] = max(0, self._open.get(tag, 0) - 1)

    def handle_data(self, data: str) -> None:
        if self._dropped_link or any(self._inside(tag) for tag in _IGNORED_TAGS):
            return
        if self._links_to:
            data = leaks.without_links(data, self._links_to)
        if self._inside("pre"):
            self.code.append(data)
            return
        if self._inside("code"):
            self.code.append(data)
        self._pieces.append(data)
        if not self._inside("a"):
            self._plain_pieces.append(data)

    def end_line(self) -> None:
        """Close the line that is being read."""
        text = "".join(self._pieces)
        if not text.isspace() and text:
            quote = self._quotes if self._inside("blockquote") else 0
            self.lines.append(_Line(text, quote, plain="".join(self._plain_pieces)))
        self._pieces = []
        self._plain_pieces = []

    def _inside(self, tag: str) -> bool:
        return self._open.get(tag, 0) > 0
