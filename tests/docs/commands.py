"""The commands that the pages name: in their shell blocks, and in code between words."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.launch import ROOT
from tests.docs.pages import FENCE, PAGES, blocks

CODE = re.compile(r"`([^`]+)`")
VARIABLE = re.compile(r"(?:[A-Z_]+=\S* )+")
SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
SEPARATOR = {"|", "||", "&", "&&", ";", ">", ">>", "<"}


@dataclass(frozen=True)
class Command:
    """One simple command.

    Attributes:
        page: on which it stands, with the line.
        words: program and arguments, as the shell would split them.
    """

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page} {shlex.join(self.words)}"

    def starts_with(self, *words: str) -> bool:
        return self.words[: len(words)] == words

    @property
    def flags(self) -> list[str]:
        return [word.split("=")[0] for word in self.words if word.startswith("--")]


def inline_code(page: Path) -> Iterator[tuple[str, str]]:
    """What stands between single backticks, with where; a line's end in it is a space."""
    text = FENCE.sub(lambda block: "\n" * block[0].count("\n"), page.read_text())
    for found in CODE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield f"{page.relative_to(ROOT)}:{line}", " ".join(found[1].split())


def commands(*programs: str) -> list[Command]:
    """The pages' commands of these programs, those inside of others' arguments among them."""
    texts = [(str(block), block.text) for block in blocks("sh")]
    texts += [each for page in PAGES for each in inline_code(page)]
    return [
        command
        for where, text in texts
        for command in _simple(where, text)
        if command.words[0] in programs
    ]


def _simple(where: str, text: str) -> Iterator[Command]:
    for inner in SUBSTITUTION.findall(text):
        yield from _simple(where, inner)
    try:
        lines = _lines(SUBSTITUTION.sub("SUBSTITUTED", text))
    except ValueError:  # prose, an expression of another language
        return
    for line in lines:
        words: list[str] = []
        for word in [*line, ";"]:
            if word in SEPARATOR:
                if words:
                    yield Command(where, tuple(words))
                words = []
            elif words or not VARIABLE.fullmatch(f"{word} "):
                words.append(word)


def _lines(text: str) -> list[list[str]]:
    """Each line's words; a quoted text, and a backslash at the end, join lines."""
    lines: list[list[str]] = []
    before = ""
    for line in text.replace("\\\n", " ").splitlines():
        before += line
        try:
            lines.append(shlex.split(before, comments=True))
        except ValueError:
            before += "\n"
        else:
            before = ""
    if before:
        raise ValueError(text)
    return lines
