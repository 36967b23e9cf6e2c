"""Golden questions are read with care, and a changed answer is named without the question's text."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.faq.analysis import terms_of_posted
from services.faq.golden import GOLDEN_FILE, golden_file, misses, read_golden
from services.faq.records import DataError
from services.faq.source_ids import number_of
from tests.services.faq.conftest import Small


def write(folder: Path, *lines: str) -> Path:
    path = folder / GOLDEN_FILE
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_questions_are_read_in_order(tmp_path: Path) -> None:
    golden = read_golden(
        write(tmp_path, '{"question": "wie?", "original": 3}',
              '{"question": "b", "original": 4, "within": 2}')
    )  # fmt: skip
    assert [(each.question, each.original, each.within) for each in golden.questions] == [
        ("wie?", 3, 1),
        ("b", 4, 2),
    ]
    assert len(golden.sha256) == 64


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("secret text", "line 1: is not JSON"),
        ('{"question": "secret text"}', "line 1: original: Field required"),
        ('{"question": "secret text", "original": null}', "line 1: original"),
        ('{"question": "secret text", "original": " "}', "line 1: original"),
        ('{"question": "secret text", "original": 1, "within": 0}', "line 1: within: "),
        ('{"question": "", "original": 1}', "line 1: question: "),
        ('{"question": "secret text", "original": 1, "first": 2}', "line 1: first: "),
        ('["secret text"]', "line 1: "),
    ],
)
def test_a_bad_line_is_named_without_its_text(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        read_golden(write(tmp_path, line))
    assert message in str(error.value)
    assert "secret" not in str(error.value)


def test_an_empty_or_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no questions"):
        read_golden(write(tmp_path))
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_golden(tmp_path / "none.jsonl")


def test_the_file_beside_the_data_is_taken_unless_another_is_given(tmp_path: Path) -> None:
    assert golden_file(tmp_path, None) is None
    beside = write(tmp_path, "{}")
    assert golden_file(tmp_path, None) == beside
    assert golden_file(tmp_path, Path("other")) == Path("other")


def test_a_miss_says_where_the_original_is_instead(small: Small, tmp_path: Path) -> None:
    ids = [original.id for original in small.data.originals]
    title = small.data.originals[3].title
    lines = [
        f'{{"question": "{title}", "original": {ids[3]}, "within": 3}}',
        f'{{"question": "{title}", "original": {ids[20]}, "within": 2}}',
        f'{{"question": "{title}", "original": 77, "within": 31}}',
    ]
    missed = misses(read_golden(write(tmp_path, *lines)), small.trained.scorer, ids)
    assert [(each.line, each.original, each.within) for each in missed] == [
        (2, ids[20], 2),
        (3, 77, 31),
    ]
    assert missed[0].rank is not None
    assert missed[0].rank > 2
    terms = terms_of_posted(title)
    ranked = [ids[each] for each in small.trained.scorer.rank([terms])[0].positions]
    assert ranked[missed[0].rank - 1] == ids[20]
    place = missed[0].rank
    enough = f'{{"question": "{title}", "original": {ids[20]}, "within": {place}}}'
    short = f'{{"question": "{title}", "original": {ids[20]}, "within": {place - 1}}}'
    again = misses(read_golden(write(tmp_path, enough, short)), small.trained.scorer, ids)
    assert [each.line for each in again] == [2]
    assert str(missed[1]) == "line 3: original 77 is not ranked, not among the first 31"


def test_an_original_can_be_named_by_the_text_that_is_its_id(small: Small, tmp_path: Path) -> None:
    ids = [original.id for original in small.data.originals]
    known = [number_of("KB-1") if number == 3 else each for number, each in enumerate(ids)]
    title = small.data.originals[3].title
    lines = [
        f'{{"question": "{title}", "original": "KB-1", "within": 3}}',
        f'{{"question": "{title}", "original": "KB-2", "within": 3}}',
        f'{{"question": "{title}", "original": "{ids[20]}", "within": 31}}',
    ]
    missed = misses(read_golden(write(tmp_path, *lines)), small.trained.scorer, known)
    assert [str(each) for each in missed] == [
        "line 2: original KB-2 is not ranked, not among the first 3"
    ]
