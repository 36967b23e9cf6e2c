"""The corpus keeps its promises, and its files say what its sources say."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.faq.corpus.build import build_files, one_line, stale_files, write_files
from services.faq.corpus.promises import broken_promises
from services.faq.corpus.topics import CorpusError, QuestionSource, read_topics
from services.faq.data import read_data
from services.faq.text import clean_stored
from tests.services.faq.conftest import CORPUS


@pytest.fixture(scope="module")
def questions() -> list[QuestionSource]:
    return read_topics()


def test_the_files_are_not_stale(questions: list[QuestionSource]) -> None:
    assert stale_files(build_files(questions), CORPUS) == []


def test_the_sources_keep_every_promise(questions: list[QuestionSource]) -> None:
    assert broken_promises(questions) == []


def test_nothing_of_the_corpus_is_dropped_when_it_is_read(
    questions: list[QuestionSource],
) -> None:
    data = read_data(CORPUS)
    assert data.dropped == {}
    assert len(data.originals) == len(questions) >= 100
    assert len(data.duplicates) == sum(len(question.duplicate) for question in questions)


def test_files_are_the_same_bytes_each_time(questions: list[QuestionSource]) -> None:
    assert build_files(questions) == build_files(list(questions))


def test_a_changed_source_makes_the_files_stale(questions: list[QuestionSource]) -> None:
    changed = [questions[0].model_copy(update={"title": "Another title"}), *questions[1:]]
    assert stale_files(build_files(changed), CORPUS) == ["orig-q.tsv.gz"]


def test_missing_and_damaged_files_are_stale(
    questions: list[QuestionSource], tmp_path: Path
) -> None:
    files = build_files(questions[:2])
    write_files(files, tmp_path)
    assert stale_files(files, tmp_path) == []
    (tmp_path / "ans.tsv.gz").unlink()
    (tmp_path / "dup-q.tsv.gz").write_bytes(b"damaged")
    assert stale_files(files, tmp_path) == ["dup-q.tsv.gz", "ans.tsv.gz"]


def test_line_breaks_of_code_survive_the_format() -> None:
    line = one_line("<p>a\n b</p>\n<pre><code>x = 1\n\ty = 2</code></pre>")
    assert line == "<p>a b</p> <pre><code>x = 1&#10;&#9;y = 2</code></pre>"
    assert clean_stored(f"T. {line}").code == "x = 1\n\ty = 2"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"duplicate": ()}, "has 0 duplicates"),
        ({"body": "<p>short</p>", "title": "x"}, "characters of prose, not 150 to 900"),
        (
            {"body": "<p>Possible Duplicate of</p>" + "<p>words</p>" * 40},
            "names itself a duplicate",
        ),
        ({"body": "<p>words</p><pre>" + "x" * 4_000 + "</pre>"}, "more than 4000"),
    ],
)
def test_a_broken_promise_is_named(
    questions: list[QuestionSource], change: dict[str, object], message: str
) -> None:
    changed = questions[5].model_copy(update=change)
    broken = broken_promises([*questions[:5], changed, *questions[6:]])
    assert any(message in line and str(changed.id) in line for line in broken)


def test_repeated_texts_and_ids_are_named(questions: list[QuestionSource]) -> None:
    broken = broken_promises([*questions, questions[3]])
    assert any(line == f"question {questions[3].id}: 2 questions have this id" for line in broken)
    assert any(line.startswith("2 times the same text") for line in broken)


def test_too_few_questions_are_named(questions: list[QuestionSource]) -> None:
    assert "9 questions are fewer than 100" in broken_promises(questions[:9])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("[[question]]\nid = ", "broken.toml: Invalid value"),
        ("[[question]]\nid = 1\n", "broken.toml: question.0.created: Field required"),
    ],
)
def test_a_broken_source_is_named(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "broken.toml").write_text(source)
    with pytest.raises(CorpusError, match=message):
        read_topics(tmp_path)
