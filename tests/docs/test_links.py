"""Links between the pages lead somewhere where the repository itself is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.launch import ROOT
from tests.docs.pages import FENCE, PAGES, prose

LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings: lower case, spaces to hyphens, marks dropped."""
    text = FENCE.sub("", page.read_text())
    headings = re.findall(r"^#{1,6} +(.*?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    broken: list[str] = []
    for link in LINK.findall(prose(page)):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if (
            not target.exists()
            or not target.is_relative_to(ROOT)
            or (anchor and anchor not in anchors(target))
        ):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading_of_the_repository(page: Path) -> None:
    assert broken_links(page) == []


def test_a_link_to_nothing_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A head, and more\n[ok](#a-head-and-more) [no](#other) [no](gone.md)\n")
    assert broken_links(page) == [
        "#a-head-and-more",
        "#other",
        "gone.md",
    ]  # not ours: all are refused
