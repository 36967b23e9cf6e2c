"""The page needs nothing but itself, says what the JSON says, and trusts no text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.faq.evaluation.baselines.all import simple_baselines
from services.faq.evaluation.evaluate import evaluate
from services.faq.evaluation.latency import Latency
from services.faq.evaluation.questions import HeldOut
from services.faq.evaluation.report.lines import evaluation_lines
from services.faq.evaluation.report.page import page, write_report
from services.faq.evaluation.report.plots import plots
from services.faq.model_card import data_details, library_versions, split_details
from tests.services.faq.evaluation.conftest import trainer

NAME = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def document(tiny: HeldOut) -> dict[str, Any]:
    """A whole evaluation, as its JSON has it."""
    evaluation = evaluate(
        trainer(tiny.training), tiny, simple_baselines(0)[1:3], 0, trainer=trainer
    )
    whole = {
        "subject": {"name": NAME, "version": "1", "sha256": "", "how": "Trained."},
        "data": data_details(tiny.data),
        "split": split_details(tiny.split, 0.3, 0, len(tiny.asked)),
        **evaluation.document(),
        "libraries": library_versions(),
        "created": "2026-01-01T00:00:00+00:00",
    }
    return orjson.loads(orjson.dumps({**whole, "latency": Latency(30, 1, 2, 3, 1.5, 0.1, None)}))


class Page(HTMLParser):
    """What a browser would do with a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in {"src", "href", "xlink:href", "action"}:
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")


def test_the_page_needs_no_other_file_and_runs_nothing(document: dict[str, Any]) -> None:
    read = Page(page(document))
    assert not {"script", "link", "img", "iframe", "object"} & set(read.tags)
    assert all(address.startswith("#") for address in read.addresses)
    assert "url(http" not in page(document)


def test_a_name_in_the_data_is_text_on_the_page(document: dict[str, Any]) -> None:
    assert "&lt;script&gt;alert(1)" in page(document)


def everywhere(value: Any, text: str) -> Any:
    """The same document with this text in place of all its texts but keys."""
    if isinstance(value, dict):
        return {key: everywhere(each, text) for key, each in value.items()}
    if isinstance(value, list):
        return [everywhere(each, text) for each in value]
    return text if isinstance(value, str) else value


def test_no_text_at_all_is_markup_on_the_page(document: dict[str, Any]) -> None:
    """Titles, notes, reasons, versions: whoever wrote the data or the settings wrote them."""
    skipped = {**document["matchers"]["nearest_neighbour"], "figures": None, "note": NAME}
    matchers = {**document["matchers"], "linear_svm": skipped}
    odd = {**document, "matchers": matchers, "notes": [NAME]}
    odd["data"] = {**document["data"], "dropped": {NAME: 3}}
    text = page(everywhere(odd, NAME))
    assert not {"script", "img"} & set(Page(text).tags)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > 20


def test_every_figure_has_its_plot(document: dict[str, Any]) -> None:
    assert list(plots(document)) == [
        "accuracy", "reliability", "coverage", "by_known_duplicates", "withheld", "no_match",
    ]  # fmt: skip
    assert Page(page(document)).tags.count("svg") == 6


def test_what_one_plot_refers_to_is_its_own(document: dict[str, Any]) -> None:
    read = Page(page(document))
    assert len(read.ids) == len(set(read.ids))
    assert {address[1:] for address in read.addresses} <= set(read.ids)


def test_plots_take_the_colours_and_the_font_of_the_page(document: dict[str, Any]) -> None:
    for svg in plots(document).values():
        assert "var(--ink)" in svg
        assert not re.search(r"(?:fill|stroke): #(?:000000|ffffff|010203|040506)", svg)
        assert set(re.findall(r"font-family: ([^;\"]*)", svg)) == {"var(--font)"}
        assert 'role="img" aria-label="' in svg


def test_the_page_without_retraining_or_latency_leaves_those_parts_out(
    document: dict[str, Any],
) -> None:
    short = {**document, "withheld": None, "no_match": None, "latency": None}
    text = page(short)
    assert "Questions without a match" not in text
    assert "Latency and memory" not in text
    assert "Beside the baselines" in text


def test_a_share_of_nothing_is_a_dash(document: dict[str, Any]) -> None:
    """As where no question is flagged: not a number in the figures, null in their JSON."""
    for nothing in (float("nan"), None):
        share = {"value": nothing, "low": nothing, "high": nothing}
        odd = {**document, "no_match": {**document["no_match"], "low_signal_precision": share}}
        assert any(": – of the flagged" in line for line in evaluation_lines(odd).splitlines())
        assert "<dd>– (– to –)</dd>" in page(odd)


def test_the_page_shows_the_figures_of_the_json(document: dict[str, Any]) -> None:
    text = page(document)
    for matcher in document["matchers"].values():
        for name in ("accuracy_at_1", "macro_accuracy_at_1"):
            assert f"{matcher['figures'][name]['value']:.1%}" in text
    assert f"{document['no_match']['low_signal_recall']['value']:.1%} (" in text
    for point in document["withheld"]:
        assert f"{point['matchers']['model']['accuracy_at_1']['value']:.1%}" in text


def test_the_lines_say_the_same(document: dict[str, Any]) -> None:
    lines = evaluation_lines(document).splitlines()
    at_1 = document["matchers"]["model"]["figures"]["accuracy_at_1"]["value"]
    assert lines[1].split()[:2] == ["model", f"{at_1:.1%}"]
    head = next(number for number, line in enumerate(lines) if "at most so many" in line)
    assert lines[head + 1].split() == ["0", "1", "2", "5", "10", "all"]
    assert lines[head + 2].split()[-1] == f"{at_1:.1%}"
    assert any(line.startswith("questions without a match (") for line in lines)
    recall = document["no_match"]["low_signal_recall"]["value"]
    [low] = [line for line in lines if line.startswith("low signal, ")]
    assert low.endswith(f"of all such, {recall:.1%} are flagged")
    assert lines[-1] == "one question in process: p50 1.00 ms, p95 2.00 ms, p99 3.00 ms"


def test_a_matcher_that_was_not_asked_says_why_on_the_page_and_in_the_lines(
    document: dict[str, Any],
) -> None:
    skipped = {
        "title": "linear SVM", "note": "not fitted: too many", "questions": 0, "seconds": 0.0,
        "figures": None,
    }  # fmt: skip
    with_skipped = {**document, "matchers": {**document["matchers"], "linear_svm": skipped}}
    assert "not fitted: too many" in page(with_skipped)
    assert "not fitted: too many" in evaluation_lines(with_skipped)


def test_writing_leaves_two_files_and_nothing_half_done(
    document: dict[str, Any], tmp_path: Path
) -> None:
    for _ in range(2):
        write_report(document, tmp_path / "new" / "report")
    written = sorted(path.name for path in (tmp_path / "new" / "report").iterdir())
    assert written == ["report.html", "report.json"]
    read = orjson.loads((tmp_path / "new" / "report" / "report.json").read_bytes())
    assert read == document
