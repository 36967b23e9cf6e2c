"""Reading the three files refuses what is not the format, and says where."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from services.faq import records
from services.faq.records import DataError, read_records
from tests.services.faq.conftest import WriteData, compressed_rows


def test_rows_are_read_in_order_with_their_columns(write_data: WriteData) -> None:
    folder = write_data(originals=[(1, 11, "a", "2020"), (2, 12, "ü. <p>b</p>", "")])
    read = read_records(folder)
    assert [(r.id, r.answer_id, r.text0, r.created) for r in read.originals] == [
        (1, 11, "a", "2020"),
        (2, 12, "ü. <p>b</p>", ""),
    ]
    assert [(a.id, a.html) for a in read.answers] == [(11, "<p>Use sort.</p>")]


def test_quotes_are_part_of_the_text(write_data: WriteData) -> None:
    assert read_records(write_data([(1, 11, 'say "hi', "")])).originals[0].text0 == 'say "hi'


def test_a_file_with_windows_line_ends_is_read(write_data: WriteData) -> None:
    folder = write_data(answers=gzip.compress(b"11\tone\r\n12\ttwo\r\n"))
    assert [answer.html for answer in read_records(folder).answers] == ["one", "two"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not gzip at all", "orig-q.tsv.gz: is not a gzip file, or is damaged"),
        (compressed_rows([(1, 2, "a", "")] * 999)[:-20], "orig-q.tsv.gz: ends too early"),
        ([(1, 11, "a", ""), (2, 12, "b")], "orig-q.tsv.gz: line 2: has 3 columns, expected 4"),
        ([(1, 11, "a\tb", "")], "line 1: has 5 columns, expected 4"),
        (gzip.compress(b"1\t11\ta\t\n\n"), "line 2: has 1 columns, expected 4"),
        (gzip.compress(b"1\t11\tcaf\xe9\t\n"), r"line 1: is not UTF-8 \(byte 9 of the line\)"),
        ([("one", 11, "a", "")], "line 1: Id is not a whole number"),
        ([(1, "1.5", "a", "")], "line 1: AnswerId is not a whole number"),
        ([(1, "٣", "a", "")], "line 1: AnswerId is not a whole number"),
        ([(1, 11, "x" * 300_000, "")], "line 1: is longer than 262,144 bytes"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_line(
    write_data: WriteData, content: object, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_records(write_data(content))


def test_a_damaged_block_is_refused(write_data: WriteData) -> None:
    content = bytearray(
        compressed_rows([(number, 2, f"text {number}", "") for number in range(999)])
    )
    content[200:260] = bytes(60)
    with pytest.raises(DataError, match="damaged"):
        read_records(write_data(bytes(content)))


def test_a_missing_file_is_named(write_data: WriteData) -> None:
    folder = write_data()
    (folder / "ans.tsv.gz").unlink()
    with pytest.raises(DataError, match=r"ans\.tsv\.gz: is missing"):
        read_records(folder)


def test_a_file_of_too_many_lines_is_refused(
    write_data: WriteData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MOST_LINES", 2)
    with pytest.raises(DataError, match="has more than 2 lines"):
        read_records(write_data([(number, 1, "a", "") for number in range(3)]))


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "orig-q.tsv.gz").mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        read_records(tmp_path)
