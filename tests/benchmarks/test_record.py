"""What was measured is put where it is read: on the benchmarks' page, or in the page that explains it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import record
from benchmarks.result import Result, Table

BEGIN, END = "<!-- begin of matcher -->\n", "<!-- end of matcher -->\n"


@pytest.fixture
def explaining(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page that explains `matcher`, which has been measured before."""
    page = tmp_path / "explaining.md"
    page.write_text(f"# Why\n\n{BEGIN}\n| old |\n\n{END}\nBecause.\n")
    monkeypatch.setattr(record, "EXPLAINED", {"matcher": page})
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(record, "IMAGES", tmp_path / "images")
    monkeypatch.setattr(record, "PAGE", tmp_path / "benchmarks.md")
    return page


def measured(name: str, figure: str) -> Result:
    return Result(name, f"Heading of {name}", (), [Table("table", ("column",), [(figure,)])], ())


def test_a_result_takes_the_place_of_the_one_before_in_the_page_that_explains_it(
    explaining: Path,
) -> None:
    for figure in ("one figure", "another figure"):
        record.record(measured("matcher", figure))
    text = explaining.read_text()
    assert text.startswith(f"# Why\n\n{BEGIN}\n`python -m benchmarks matcher` · ")
    assert text.endswith(f"| another figure |\n\n{END}\nBecause.\n")
    assert "one figure" not in text
    assert "old" not in text
    assert "Heading" not in record.PAGE.read_text()


def test_other_results_are_sections_of_the_page_of_all(explaining: Path) -> None:
    before = explaining.read_text()
    record.record(measured("importing", "a figure"))
    assert "## Heading of importing" in record.PAGE.read_text()
    assert explaining.read_text() == before


@pytest.mark.parametrize("name", record.EXPLAINED)
def test_every_page_that_explains_a_result_has_its_marks_once(name: str) -> None:
    text = record.EXPLAINED[name].read_text()
    begin, end = (text.split(f"<!-- {mark} of {name} -->\n") for mark in ("begin", "end"))
    assert len(begin) == len(end) == 2
    assert len(begin[0]) < len(end[0])
