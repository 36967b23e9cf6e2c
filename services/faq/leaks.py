"""What in a duplicate gives its original away: notices of the site, and links to the original.

Until about 2014 Stack Overflow wrote "Possible Duplicate: title of the original" into the body of a
question that was closed as a duplicate; pages copied from the site have "[duplicate]" in the title
and "This question already has answers here". A model that learns from them, or is tested on them,
looks better than it is: nobody who asks a question knows its original.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

_NOTICES: Final = r"""
    # With a colon anywhere, as the title follows; "an exact duplicate of my array" is a question.
    \b(?:possible|exact)\ duplicates?(?:\ of)?\s*[*_]*:
  | (?:^|(?<=[.?!]\s))[^\w\n]{0,20}(?:this\ is\ an?\ )?(?:possible|exact)\ duplicates?\ of\b
  | \b(?:closed|flagged|marked)\ as\ (?:an?\ )?(?:possible\ |exact\ )?duplicates?\b(?:\ of\b)?\s*:?
  | \bthis\ question\ (?:already\ has|may\ already\ have)\ (?:an\ )?answers?(?:\ here)?\s*[*_]*:?
  | \bposs[ií]vel\ duplicat[ae]\s*[*_]*: | \bposibles?\ duplicad[oa]s?\s*[*_]*:
  | \bвозможн\w+\ дубликат\w*\s*[*_]*:
"""  # noqa: RUF001 - Russian
_FLAGS: Final = re.IGNORECASE | re.VERBOSE | re.MULTILINE
_NOTICE: Final = re.compile(_NOTICES, _FLAGS)
_NOTICE_IN_PLAIN_TEXT: Final = re.compile(
    rf"""
    (?:^[\s>*_]{{0,20}})?(?:{_NOTICES})
    # Up to the end of the sentence or the line; in Markdown, links to the originals.
    (?: (?:[\s*_>-]{{0,20}}\[[^\]\n]{{0,300}}\]\([^)\s]{{0,500}}\))+
      | [\s*_>]*[^\n]*?(?:[.?!](?=\s|\Z)|\n|\Z) )
    """,
    _FLAGS,
)
_SIGNS: Final = ("duplica", "already", "дубликат")
"""One of them is in every notice: most texts have none, and need no search."""
_REST_OF_NOTICE: Final = re.compile(r"[\W_]*(?:\d+\ answers?|closed\b.{0,40}\bago)?[\W_]*", _FLAGS)
_STATUS: Final = re.compile(
    r"\s\[(?:duplicate|closed|on\ hold|migrated|duplicada|duplicado|cerrada|fechada|дубликат|закрыт)\]"
    r"(?=\s*\.?\s*$)",
    _FLAGS,
)
_POST: Final = r"/(?:questions|q|a)/(\d{1,18})(?:/[^\s/)\]]*)?(?:/(\d{1,18}))?[^\s)\]]*"
_POST_ADDRESS: Final = re.compile(_POST)
_LINK: Final = re.compile(
    rf"\[[^\]\n]{{0,300}}\]\([^)\s]{{0,200}}?{_POST}\)|https?://[^\s/]{{1,100}}{_POST}"
)


def notice_start(line: str) -> int:
    """Return where a notice begins in a line, or -1."""
    found = _NOTICE.search(line) if _may_have_notice(line) else None
    return found.start() if found else -1


def belongs_to_notice(plain: str) -> bool:
    """Whether a line after a notice is a part of it, given what of it is outside of links.

    That is a link and nothing else, "(5 answers)", or "Closed 3 years ago".
    """
    return _REST_OF_NOTICE.fullmatch(plain) is not None


def without_notices(text: str) -> str:
    """Drop notices from plain text or Markdown, each to its sentence's end, and "[duplicate]"."""
    return without_status(_NOTICE_IN_PLAIN_TEXT.sub(" ", text) if _may_have_notice(text) else text)


def _may_have_notice(text: str) -> bool:
    lower = text.lower()
    return any(sign in lower for sign in _SIGNS)


def without_status(line: str) -> str:
    """Drop "[duplicate]" or "[closed]" from the end of a title."""
    return _STATUS.sub("", line) if "[" in line else line


def is_link_to(address: str, posts: Collection[int]) -> bool:
    """Whether an address is that of one of the questions or answers."""
    found = _POST_ADDRESS.search(address)
    return found is not None and _names(found, posts)


def without_links(text: str, posts: Collection[int]) -> str:
    """Drop addresses of the questions and answers from text, and Markdown links with their text."""
    if "/" not in text:
        return text
    return _LINK.sub(lambda found: " " if _names(found, posts) else found[0], text)


def _names(found: re.Match[str], posts: Collection[int]) -> bool:
    return any(number is not None and int(number) in posts for number in found.groups())
