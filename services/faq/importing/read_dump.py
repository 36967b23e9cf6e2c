"""Reading a dump's files, one after the other, into the work file: each only once.

The links come first, as they say which questions and answers matter: of sixty million posts about
one in thirty. Users come last, when it is known whose names are needed.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final

from tqdm import tqdm

from services.faq.importing import posts
from services.faq.importing.byte_stream import ByteStream, DumpFile, open_stream
from services.faq.importing.posts import BadRow
from services.faq.importing.work_file import WorkFile
from services.faq.importing.xml_rows import BrokenRow, XmlRows
from services.faq.records import LONGEST_LINE


@dataclass(frozen=True)
class _Step:
    """Reading one file of the dump."""

    name: str
    root: str


LINKS: Final = _Step("PostLinks.xml", "postlinks")
POSTS: Final = _Step("Posts.xml", "posts")
USERS: Final = _Step("Users.xml", "users")


def read_links(work: WorkFile, file: DumpFile) -> None:
    """Keep the links from duplicates to originals."""
    database, counts = work.database, work.counts

    def keep(row: posts.Attributes) -> None:
        if row.get("LinkTypeId") != posts.DUPLICATE_LINK:
            return
        link = posts.link(row)
        if link.duplicate == link.original:
            counts["links: from a question to itself, ignored"] += 1
            return
        added = database.execute(
            "INSERT OR IGNORE INTO links VALUES (?, ?, ?)", (link.duplicate, link.original, link.id)
        )
        counts["links: to an original" if added.rowcount else "links: repeated, ignored"] += 1

    _read(work, LINKS, file, keep)


def read_posts(work: WorkFile, file: DumpFile, tags: Collection[str]) -> None:
    """Keep the linked questions, and for those that may be originals the best answer.

    Args:
        work: where the links are.
        file: Posts.xml.
        tags: a question is kept with its text if it has one of them; empty for every question.
    """
    wanted = frozenset(tags)
    linked = work.ids("SELECT duplicate FROM links UNION SELECT original FROM links ORDER BY 1")
    targets = work.ids("SELECT DISTINCT original FROM links ORDER BY 1")

    def keep(row: posts.Attributes) -> None:
        kind = row.get("PostTypeId")
        if kind == posts.QUESTION:
            if _contains(linked, posts.post_id(row)):
                _keep_question(work, row, wanted)
        elif kind == posts.ANSWER:
            if _contains(targets, posts.parent_id(row)):
                _keep_answer(work, row)
        elif kind is None:
            raise BadRow("rows without PostTypeId")

    _read(work, POSTS, file, keep)


def read_users(work: WorkFile, file: DumpFile, wanted: array[int]) -> None:
    """Keep the names of the users whose ids are `wanted`, sorted."""

    def keep(row: posts.Attributes) -> None:
        number, name = posts.user(row)
        if name and _contains(wanted, number):
            work.database.execute("REPLACE INTO users VALUES (?, ?)", (number, name))

    _read(work, USERS, file, keep)


def _keep_question(work: WorkFile, row: posts.Attributes, wanted: frozenset[str]) -> None:
    post = posts.question(row)
    tagged = not wanted or not wanted.isdisjoint(posts.tags(row))
    text = post.text if tagged and _fits(work, post) else None
    added = work.database.execute(
        "INSERT OR IGNORE INTO questions VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        (post.id, tagged, posts.accepted_id(row), text, post.created, post.licence, post.owner,
         post.owner_name),
    )  # fmt: skip
    if not added.rowcount:
        work.counts["posts: repeated ids, ignored"] += 1


def _keep_answer(work: WorkFile, row: posts.Attributes) -> None:
    """Keep an answer unless a better one is there already; the accepted one is the best.

    Of a question that comes later in the file (as merged ones do) every answer is kept.
    """
    database = work.database
    question = database.execute(
        "SELECT tagged, accepted FROM questions WHERE id = ?", (posts.parent_id(row),)
    ).fetchone()
    if question and not question[0]:
        return
    answer = posts.answer(row)
    if not _fits(work, answer.post):
        return
    if question:
        kept = database.execute(
            "SELECT id, score FROM answers WHERE question = ?", (answer.question,)
        ).fetchall()
        accepted = question[1]
        rank = _rank(answer.post.id, answer.score, accepted)
        if any(_rank(other, score, accepted) >= rank for other, score in kept):
            return
        database.execute("DELETE FROM answers WHERE question = ?", (answer.question,))
    post = answer.post
    database.execute(
        "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        (answer.question, post.id, answer.score, post.text, post.created, post.licence, post.owner,
         post.owner_name),
    )  # fmt: skip


def _rank(answer: int, score: int, accepted: int | None) -> tuple[bool, int, int]:
    return (answer == accepted, score, -answer)


def _fits(work: WorkFile, post: posts.Post) -> bool:
    if len(post.text.encode()) < LONGEST_LINE - 200:
        return True
    work.counts[f"posts: longer than {LONGEST_LINE:,} bytes, left out"] += 1
    return False


def _contains(ids: array[int], number: int) -> bool:
    place = bisect_left(ids, number)
    return place < len(ids) and ids[place] == number


def _read(
    work: WorkFile, step: _Step, file: DumpFile, keep: Callable[[posts.Attributes], None]
) -> None:
    """Keep the rows of a file, from where an earlier run stopped."""
    if work.is_done(step.root):
        return
    counts, start = work.counts, work.place(step.root)
    reader = XmlRows(str(file), step.root, start)
    with open_stream(file, start) as stream:
        for row in reader.rows(_with_progress(stream, step.name)):
            if isinstance(row, BrokenRow):
                counts[f"{step.name}: broken rows, {row.reason}"] += 1
                continue
            work.reached(step.root, row.start)
            counts[f"{step.name}: rows"] += 1
            try:
                keep(row.attributes)
            except BadRow as bad:
                counts[f"{step.name}: {bad}"] += 1
    work.finish(step.root)


def _with_progress(stream: ByteStream, name: str) -> Iterator[bytes]:
    with tqdm(
        total=stream.size, desc=f"reading {name}", unit="B", unit_scale=True, disable=None
    ) as bar:
        for piece in stream.pieces:
            bar.update(max(0, stream.position() - bar.n))
            yield piece
