"""The repository's own pages and their fenced blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from services.launch import ROOT

PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
FENCE = re.compile(r"^( *)```(\w*) ?([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: on which it stands.
        line: that it begins in.
        language: the first word behind its fence.
        name: what follows that word, such as the name of a file.
        text: what is in it.
    """

    page: Path
    line: int
    language: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(*languages: str, pages: Iterable[Path] = PAGES) -> Iterator[Block]:
    """The pages' blocks in these languages, or in any."""
    for page in pages:
        text = page.read_text()
        for found in FENCE.finditer(text):
            indent, language, name, content = found.groups()
            if not languages or language in languages:
                line = text.count("\n", 0, found.start()) + 1
                inner = "\n".join(each.removeprefix(indent) for each in content.splitlines())
                yield Block(page, line, language, name, inner + "\n")


def prose(page: Path) -> str:
    """A page without its fenced blocks and its code."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text()))
