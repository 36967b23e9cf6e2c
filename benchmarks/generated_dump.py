"""A made-up Stack Exchange dump of any size, with links, chains, cycles and holes as real ones have."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.sax.saxutils import quoteattr

from tqdm import tqdm

MEGABYTE = 1_000_000
TAGS = ("javascript", "python", "java", "c#", "html", "css", "php", "jquery", "arrays", "node.js")
LINKED_SHARE = 0.06
"""Share of the questions that are closed as a duplicate; on Stack Overflow it is about 3 %."""
_BODIES = 2_000
_WORDS = 4_000


@dataclass(frozen=True)
class GeneratedDump:
    """What was written."""

    folder: Path
    posts: int
    links: int
    bytes: int


def generate_dump(folder: Path, megabytes: int, seed: int = 0) -> GeneratedDump:
    """Write Posts.xml of about that size, PostLinks.xml and Users.xml."""
    folder.mkdir(parents=True, exist_ok=True)
    source = random.Random(seed)
    with (folder / "Posts.xml").open("wb") as posts, (folder / "PostLinks.xml").open("wb") as links:
        numbers = _write_posts(posts, links, megabytes * MEGABYTE, source)
    with (folder / "Users.xml").open("wb") as users:
        _write(users, "users", (f'<row Id="{each}" DisplayName="Author {each}" />'
                                for each in range(1, 50_000)))  # fmt: skip
    size = sum(path.stat().st_size for path in folder.iterdir())
    return GeneratedDump(folder, *numbers, size)


def _write_posts(
    posts: IO[bytes], links: IO[bytes], size: int, source: random.Random
) -> tuple[int, int]:
    bodies = _bodies(source)
    number = linked = 0
    questions: list[int] = []
    for stream, root in ((posts, "posts"), (links, "postlinks")):
        stream.write(f'\ufeff<?xml version="1.0" encoding="utf-8"?>\n<{root}>\n'.encode())
    with tqdm(total=size, desc="generating", unit="B", unit_scale=True, disable=None) as bar:
        while posts.tell() < size:
            bar.update(posts.tell() - bar.n)
            block: list[str] = []
            for _ in range(500):
                number += 1
                question, answers = number, source.randrange(0, 4)
                block.append(_question(question, number + 1 if answers else None, bodies, source))
                for _ in range(answers):
                    number += 1
                    block.append(_answer(number, question, bodies, source))
                if questions and source.random() < LINKED_SHARE:
                    linked += 1
                    links.write(_link(linked, question, _original(questions, number, source)))
                # A sample is kept, so that the generator's memory does not grow either.
                if len(questions) < 100_000:
                    questions.append(question)
                else:
                    questions[source.randrange(len(questions))] = question
            posts.write("".join(block).encode())
    posts.write(b"</posts>\n")
    links.write(b"</postlinks>\n")
    return number, linked


def _original(questions: list[int], newest: int, source: random.Random) -> int:
    """An older question, few of them often, so that chains come about; sometimes one that is gone."""
    if source.random() < 0.02:
        return newest + 10_000_000
    return questions[int(len(questions) * source.random() ** 3)]


def _bodies(source: random.Random) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(source.choices(letters, k=source.randrange(2, 11))) for _ in range(_WORDS)]
    bodies: list[str] = []
    for _ in range(_BODIES):
        prose = " ".join(source.choices(words, k=source.randrange(20, 200)))
        code = "\n".join(
            f"    {source.choice(words)}({source.choice(words)} && x < {line});"
            for line in range(source.randrange(0, 25))
        ).replace("&", "&amp;").replace("<", "&lt;")  # fmt: skip
        html = f"<p>{prose} ä漢</p>\n\n<pre><code>{code}\n</code></pre>\n"
        bodies.append(quoteattr(html, {"\n": "&#xA;"}))
    return bodies


def _question(number: int, accepted: int | None, bodies: list[str], source: random.Random) -> str:
    tags = "".join(f"&lt;{tag}&gt;" for tag in source.sample(TAGS, 3))
    chosen = f' AcceptedAnswerId="{accepted}"' if accepted and source.random() < 0.6 else ""
    return (
        f'  <row Id="{number}" PostTypeId="1"{chosen} {_common(number, bodies, source)} '
        f'Title="Question {number} about {source.choice(TAGS)}" Tags="{tags}" AnswerCount="1" />\n'
    )


def _answer(number: int, question: int, bodies: list[str], source: random.Random) -> str:
    common = _common(number, bodies, source)
    return (
        f'  <row Id="{number}" PostTypeId="2" ParentId="{question}" {common} CommentCount="0" />\n'
    )


def _common(number: int, bodies: list[str], source: random.Random) -> str:
    year = 2008 + number % 16
    return (
        f'CreationDate="{year}-05-06T07:08:09.123" Score="{source.randrange(-3, 99)}" '
        f'Body={source.choice(bodies)} OwnerUserId="{source.randrange(1, 50_000)}" '
        f'LastActivityDate="{year}-06-07T08:09:10.123" ContentLicense="CC BY-SA 4.0"'
    )


def _link(number: int, duplicate: int, original: int) -> bytes:
    return (
        f'  <row Id="{number}" CreationDate="2020-01-01T00:00:00.000" PostId="{duplicate}" '
        f'RelatedPostId="{original}" LinkTypeId="3" />\n'
    ).encode()


def _write(stream: IO[bytes], root: str, rows: Iterator[str]) -> None:
    stream.write(f'<?xml version="1.0" encoding="utf-8"?>\n<{root}>\n'.encode())
    stream.writelines(f"  {row}\n".encode() for row in rows)
    stream.write(f"</{root}>\n".encode())
