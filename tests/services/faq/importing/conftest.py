"""Small dumps, written row by row, and the command that imports them."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

import py7zr
import pytest

from services.faq.__main__ import COMMANDS
from services.faq.attribution import Attribution, read_attributions
from services.faq.importing.import_dump import import_dump
from services.faq.importing.report import ImportReport
from services.faq.records import Records, read_records
from services.serving.command_line import main

TAGS = "<javascript><arrays>"


def row(**attributes: object) -> str:
    """A row of a dump; an attribute that is None is left out."""
    given = {name: value for name, value in attributes.items() if value is not None}
    return (
        "  <row "
        + " ".join(f"{name}={quoteattr(str(value))}" for name, value in given.items())
        + " />"
    )


def document(root: str, rows: list[str]) -> bytes:
    head = f'\ufeff<?xml version="1.0" encoding="utf-8"?>\n<{root}>\n'
    return (head + "".join(f"{each}\n" for each in rows) + f"</{root}>\n").encode()


@dataclass
class Dump:
    """The rows of a dump; questions and answers get what a test does not state."""

    posts: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)

    def question(self, number: int, title: str = "", **more: object) -> Dump:
        attributes: dict[str, object] = {
            "Id": number, "PostTypeId": 1, "CreationDate": "2012-05-06T07:08:09.100", "Score": 1,
            "Body": f"<p>Body of {number}.</p>\n", "OwnerUserId": 7, "Tags": TAGS,
            "Title": title or f"Title of {number}",
        }  # fmt: skip
        self.posts.append(row(**(attributes | more)))
        return self

    def answer(self, number: int, question: int, score: int = 0, **more: object) -> Dump:
        attributes: dict[str, object] = {
            "Id": number, "PostTypeId": 2, "ParentId": question, "Score": score,
            "CreationDate": "2019-05-06T07:08:09.100", "OwnerUserId": 8,
            "Body": f"<p>Answer {number}.</p>\n",
        }  # fmt: skip
        self.posts.append(row(**(attributes | more)))
        return self

    def link(self, duplicate: int, original: int, kind: int = 3, **more: object) -> Dump:
        attributes: dict[str, object] = {
            "Id": 1000 + len(self.links), "CreationDate": "2020-01-01T00:00:00.000",
            "PostId": duplicate, "RelatedPostId": original, "LinkTypeId": kind,
        }  # fmt: skip
        self.links.append(row(**(attributes | more)))
        return self

    def user(self, number: int, name: str) -> Dump:
        self.users.append(row(Id=number, DisplayName=name, Reputation=1))
        return self

    def files(self) -> dict[str, bytes]:
        files = {
            "Posts.xml": document("posts", self.posts),
            "PostLinks.xml": document("postlinks", self.links),
        }
        if self.users:
            files["Users.xml"] = document("users", self.users)
        return files

    def write(self, folder: Path, form: str = "xml") -> Path:
        """Write it as files (`xml`, `bz2`, `gz`), as an archive each (`7z`), or as one (`one`)."""
        folder.mkdir(parents=True, exist_ok=True)
        if form == "one":
            return _archive(folder / "small.stackexchange.com.7z", self.files())
        for name, content in self.files().items():
            if form == "7z":
                _archive(folder / f"stackoverflow.com-{Path(name).stem}.7z", {name: content})
            else:
                suffix, compressed = {
                    "xml": ("", bytes), "bz2": (".bz2", bz2.compress), "gz": (".gz", gzip.compress)
                }[form]  # fmt: skip
                (folder / f"{name}{suffix}").write_bytes(compressed(content))
        return folder


def _archive(path: Path, files: dict[str, bytes]) -> Path:
    """Write a 7z archive as archive.org's are: bzip2 inside."""
    with py7zr.SevenZipFile(path, "w", filters=[{"id": py7zr.FILTER_BZIP2}]) as archive:
        for name, content in files.items():
            archive.writestr(content, name)
    return path


@pytest.fixture
def dump() -> Dump:
    """An original with an accepted answer, and two duplicates of it."""
    return (
        Dump()
        .question(1, "How do I sort an array?", AcceptedAnswerId=12)
        .answer(11, 1, score=5)
        .answer(12, 1, score=2)
        .question(2, "put a list in order")
        .question(3, "sorting things")
        .question(4, "nobody asked this again")
        .link(2, 1)
        .link(3, 1)
        .link(4, 1, kind=1)
    )


@dataclass(frozen=True)
class Imported:
    """What an import wrote."""

    report: ImportReport
    records: Records
    attributions: dict[tuple[str, int], Attribution]

    @property
    def pairs(self) -> dict[int, int]:
        """The original's id of each duplicate."""
        original_of = {each.answer_id: each.id for each in self.records.originals}
        return {each.id: original_of[each.answer_id] for each in self.records.duplicates}

    def count(self, what: str) -> int:
        return self.report.counts.get(what, 0)


Import = Callable[..., Imported]


def read_imported(folder: Path, report: ImportReport) -> Imported:
    attributions = {(each.kind, each.id): each for each in read_attributions(folder)}
    return Imported(report, read_records(folder), attributions)


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    """Import a dump with the tag javascript, and read what was written."""

    def run(dump: Dump, form: str = "xml", tags: tuple[str, ...] = ("javascript",)) -> Imported:
        data = tmp_path / "data"
        source = dump.write(tmp_path / "dump", form)
        report = import_dump(source, data, host="stackoverflow.com", tags=tags)
        return read_imported(data, report)

    return run


def command(*arguments: object) -> int:
    return main("services.faq", "", COMMANDS, [str(argument) for argument in arguments])


def report_of(folder: Path) -> dict[str, int]:
    return json.loads((folder / "import-report.json").read_text())["counts"]
