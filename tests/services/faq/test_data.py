"""Joins and filters keep what fits together and count what they leave out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.faq.data import read_data
from services.faq.records import SPLIT_FILE, DataError
from tests.services.faq.conftest import WriteData, compressed_rows

ORIGINALS = [
    (2, 12, "Second. <p>What is a map?</p>", ""),
    (1, 11, "First. <p>How do I sort?</p>", ""),
]
DUPLICATES = [
    (103, 12, "what does map do", ""),
    (101, 11, "sorting a list", ""),
    (102, 11, "put in order", ""),
]
ANSWERS = [(11, "<p>sort</p>"), (12, "<p>map</p>")]


def test_originals_and_duplicates_are_joined_by_answer_and_sorted_by_id(
    write_data: WriteData,
) -> None:
    data = read_data(write_data(ORIGINALS, DUPLICATES, ANSWERS))
    assert [(each.id, each.title, each.html) for each in data.originals] == [
        (1, "First", "<p>How do I sort?</p>"),
        (2, "Second", "<p>What is a map?</p>"),
    ]
    assert [each.answer_html for each in data.originals] == ["<p>sort</p>", "<p>map</p>"]
    assert [(each.id, each.owner) for each in data.duplicates] == [(101, 0), (102, 0), (103, 1)]
    assert data.dropped == {}


@pytest.mark.parametrize(
    ("more_originals", "more_duplicates", "reason"),
    [
        ([(3, 99, "no answer", "")], [], "originals without an answer"),
        ([(3, 11, "same answer", "")], [], "originals with the same answer as another"),
        ([(1, 12, "again", "")], [], "originals with a repeated id"),
        ([], [(104, 77, "of nothing", "")], "duplicates of an unknown original"),
        ([], [(1, 11, "is an original", "")], "duplicates that are originals"),
        ([], [(101, 11, "again", "")], "duplicates with a repeated id"),
        ([], [(104, 12, "sorting  a list", "")], "duplicates with the same text as another"),
        ([], [(104, 12, "Sorting a LIST", "")], "duplicates with the same text as another"),
        ([], [(104, 12, " \x00 ", "")], "duplicates with too little text"),
    ],
)
def test_what_does_not_fit_is_left_out_and_counted(
    write_data: WriteData, more_originals: list, more_duplicates: list, reason: str
) -> None:
    folder = write_data(ORIGINALS + more_originals, DUPLICATES + more_duplicates, ANSWERS)
    data = read_data(folder)
    assert data.dropped == {reason: 1}
    assert (len(data.originals), len(data.duplicates)) == (2, 3)


def test_originals_with_too_few_duplicates_are_left_out(write_data: WriteData) -> None:
    data = read_data(write_data(ORIGINALS, DUPLICATES, ANSWERS), min_duplicates=2)
    assert [original.id for original in data.originals] == [1]
    assert data.dropped == {
        "duplicates of originals left out": 1,
        "originals with too few duplicates": 1,
    }


def test_originals_that_nobody_asked_again_can_be_kept(write_data: WriteData) -> None:
    folder = write_data([*ORIGINALS, (3, 13, "Third. <p>Alone</p>", "")], DUPLICATES,
                        [*ANSWERS, (13, "<p>yes</p>")])  # fmt: skip
    assert [original.id for original in read_data(folder).originals] == [1, 2]
    assert [original.id for original in read_data(folder, min_duplicates=0).originals] == [1, 2, 3]


def test_short_texts_are_left_out(write_data: WriteData) -> None:
    data = read_data(write_data(ORIGINALS, DUPLICATES, ANSWERS), min_text=14)
    assert [duplicate.id for duplicate in data.duplicates] == [101, 103]


def test_nothing_left_is_an_error_that_says_why(write_data: WriteData) -> None:
    with pytest.raises(DataError, match=r"no original .* left \(.*1 duplicates of an unknown"):
        read_data(write_data(duplicates=[(5, 404, "of nothing", "")]))


def test_empty_files_are_an_error(write_data: WriteData) -> None:
    with pytest.raises(DataError, match=r"no original with a duplicate is left \(no lines\)"):
        read_data(write_data([], [], []))


def test_originals_alone_are_an_error_that_says_what_is_needed(write_data: WriteData) -> None:
    with pytest.raises(
        DataError, match=r"1 originals with too few .*dup-q\.tsv\.gz must hold some"
    ):
        read_data(write_data(duplicates=[]))


def test_the_hash_tells_data_apart(write_data: WriteData) -> None:
    first = read_data(write_data(ORIGINALS, DUPLICATES, ANSWERS)).sha256
    assert read_data(write_data(ORIGINALS, DUPLICATES, ANSWERS)).sha256 == first
    assert read_data(write_data(ORIGINALS, DUPLICATES[:2], ANSWERS[:1])).sha256 != first


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2011-03-02T10:20:30.417", datetime(2011, 3, 2, 10, 20, 30, 417_000, UTC)),
        ("2011-03-02 10:20:30", datetime(2011, 3, 2, 10, 20, 30, tzinfo=UTC)),
        ("2011-03-02", datetime(2011, 3, 2, tzinfo=UTC)),
        (
            "2011-03-02T10:20+01:00",
            datetime(2011, 3, 2, 10, 20, tzinfo=timezone(timedelta(hours=1))),
        ),
        ("", None),
        ("last week", None),
    ],
)
def test_a_date_is_read_where_there_is_one(
    write_data: WriteData, text: str, moment: datetime | None
) -> None:
    data = read_data(write_data(duplicates=[(101, 11, "sorting", text)]))
    assert data.duplicates[0].created == moment


def test_the_data_s_own_split_is_read_and_is_part_of_what_the_hash_tells(
    write_data: WriteData,
) -> None:
    folder = write_data(ORIGINALS, DUPLICATES, ANSWERS)
    without = read_data(folder)
    assert [duplicate.part for duplicate in without.duplicates] == ["", "", ""]
    rows = [(101, 11, "any", "train"), (103, 12, "any", "test")]
    (folder / SPLIT_FILE).write_bytes(compressed_rows(rows))
    data = read_data(folder)
    assert [duplicate.part for duplicate in data.duplicates] == ["train", "", "test"]
    assert data.sha256 != without.sha256


def test_a_broken_split_is_an_error(write_data: WriteData) -> None:
    folder = write_data()
    (folder / SPLIT_FILE).write_bytes(compressed_rows([(101, 11, "train")]))
    with pytest.raises(DataError, match=r"dup-meta\.tsv\.gz: line 1: has 3 columns, expected 4"):
        read_data(folder)
