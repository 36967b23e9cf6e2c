"""What the rows of a dump say: links, questions, answers, users.

Columns as in the data dump's schema, https://meta.stackexchange.com/q/2677.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.faq.importing.sites import licence_of
from services.faq.stored_text import one_line, text0

DUPLICATE_LINK: Final = "3"
QUESTION: Final = "1"
ANSWER: Final = "2"

_TAG: Final = re.compile(r"[^<>|]+")

Attributes = Mapping[str, str]


class BadRow(Exception):
    """A row that cannot be used; the message is the reason that it is counted under."""


@dataclass(frozen=True)
class Link:
    """The question `duplicate` was closed as asking the same as `original`."""

    id: int
    duplicate: int
    original: int


@dataclass(frozen=True)
class Post:
    """What questions and answers have in common; `text` is one line of the data."""

    id: int
    text: str
    created: str
    licence: str
    owner: int | None
    owner_name: str
    """Name of an author whose account is gone, or empty."""


@dataclass(frozen=True)
class Answer:
    """An answer and its score."""

    post: Post
    question: int
    score: int


def link(row: Attributes) -> Link:
    """Read a row of PostLinks.xml.

    Raises:
        BadRow: an id is missing or is not a whole number.
    """
    return Link(_id(row, "Id"), _id(row, "PostId"), _id(row, "RelatedPostId"))


def post_id(row: Attributes) -> int:
    """Return the id of a post.

    Raises:
        BadRow: it is missing or not a whole number.
    """
    return _id(row, "Id")


def parent_id(row: Attributes) -> int:
    """Return the question of an answer.

    Raises:
        BadRow: it is missing or not a whole number.
    """
    return _id(row, "ParentId")


def accepted_id(row: Attributes) -> int | None:
    """Return the accepted answer of a question; None if it has none.

    Raises:
        BadRow: it is not a whole number.
    """
    return _id(row, "AcceptedAnswerId") if row.get("AcceptedAnswerId") else None


def tags(row: Attributes) -> frozenset[str]:
    """Return a question's tags: `<a><b>`, or `|a|b|` since 2024."""
    return frozenset(tag.lower() for tag in _TAG.findall(row.get("Tags", "")))


def question(row: Attributes) -> Post:
    """Read a question.

    Raises:
        BadRow: it has no usable id, or no title.
    """
    if not (title := row.get("Title", "").strip()):
        raise BadRow("questions without a title")
    return _post(row, text0(title, row.get("Body", "")))


def answer(row: Attributes) -> Answer:
    """Read an answer.

    Raises:
        BadRow: an id or the score is not a whole number, or it has no text.
    """
    if not (body := one_line(row.get("Body", ""))):
        raise BadRow("answers without a text")
    score = row.get("Score") or "0"
    if not re.fullmatch(r"-?[0-9]{1,9}", score):
        raise BadRow("rows whose Score is not a whole number")
    return Answer(_post(row, body), parent_id(row), int(score))


def user(row: Attributes) -> tuple[int, str]:
    """Read a user's id and name.

    Raises:
        BadRow: the id is missing or not a whole number.
    """
    number = row.get("Id", "")
    if number == "-1":
        return -1, row.get("DisplayName", "")
    return _id(row, "Id"), " ".join(row.get("DisplayName", "").split())


def _post(row: Attributes, text: str) -> Post:
    created = " ".join(row.get("CreationDate", "").split())
    changed = row.get("LastEditDate") or created
    owner = row.get("OwnerUserId", "")
    return Post(
        id=_id(row, "Id"),
        text=text,
        created=created,
        licence=licence_of(row.get("ContentLicense", ""), changed),
        owner=int(owner) if _is_id(owner) else None,
        owner_name=" ".join(row.get("OwnerDisplayName", "").split()),
    )


def _id(row: Attributes, name: str) -> int:
    if (value := row.get(name)) is None:
        raise BadRow(f"rows without {name}")
    if not _is_id(value):
        raise BadRow(f"rows whose {name} is not a whole number")
    return int(value)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
