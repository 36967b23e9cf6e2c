"""Rows are read whatever pieces they come in; what is broken costs one row; nothing is expanded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.faq.importing import xml_rows
from services.faq.importing.xml_rows import BrokenRow, Row, XmlRows
from services.faq.records import DataError


def pieces_of(content: bytes, size: int) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


def read(content: bytes, size: int = 7, start: int = 0) -> list[str]:
    """The rows' ids, and the reasons why others are broken."""
    rows = XmlRows("Posts.xml", "posts", start).rows(pieces_of(content, size))
    return [row.attributes["Id"] if isinstance(row, Row) else row.reason for row in rows]


def posts(*rows: str) -> bytes:
    return ("<posts>\n" + "\n".join(rows) + "\n</posts>").encode()


GOOD = '<row Id="1" />', '<row Id="2" Body="&lt;row é &#xA; 漢" />', '<row Id="3"></row>'


@given(st.integers(1, 80))
def test_the_pieces_do_not_matter(size: int) -> None:
    assert read(posts(*GOOD), size) == ["1", "2", "3"]


def test_a_row_is_where_it_says_and_reading_can_begin_there() -> None:
    content = b"\xef\xbb\xbf" + posts(*GOOD)
    for row in XmlRows("Posts.xml", "posts").rows([content]):
        assert isinstance(row, Row)
        ids = read(content[row.start :], 5, row.start)
        assert ids[0] == row.attributes["Id"]
        assert ids == ["1", "2", "3"][-len(ids) :]


@pytest.mark.parametrize("size", [1, 3, 8, 50, 999])
@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ('<row Id="9" Body="&#x1F;" />', "reference to invalid character number"),
        ('<row Id="9" Body="a & b" />', "not well-formed (invalid token)"),
        ('<row Id="9" Body=" />', "not well-formed (invalid token)"),
        ('<row Id="9" Id="9" />', "duplicate attribute"),
        ('<row Id="9" Body="&nbsp;" />', "undefined entity"),
        ('<row Id="9" <b> />', "not well-formed (invalid token)"),
    ],
)
def test_a_broken_row_costs_no_other(broken: str, reason: str, size: int) -> None:
    assert read(posts(*GOOD[:2], broken, *GOOD[2:]), size) == ["1", "2", reason, "3"]
    assert read(posts(*GOOD, broken), size) == ["1", "2", "3", reason]


def test_a_row_that_is_not_closed_is_a_row() -> None:
    found = read(posts(GOOD[0], '<row Id="9">', GOOD[1]))
    assert found == ["1", "9", "2", "mismatched tag"]


@pytest.mark.parametrize("size", [4, 999])
def test_what_is_not_utf8_is_named_and_costs_one_row(size: int) -> None:
    latin1 = '<row Id="9" Body="café" />'.encode("latin-1")
    content = posts(*GOOD).replace(b'<row Id="2"', latin1 + b'\n<row Id="2"')
    assert read(content, size) == ["1", "not UTF-8", "2", "3"]


def test_two_broken_rows_after_each_other_cost_two() -> None:
    bad = '<row Id="9" Body="a & b" />'
    assert read(posts(bad, bad, *GOOD)) == ["not well-formed (invalid token)"] * 2 + ["1", "2", "3"]


def test_an_enormous_row_is_left_out_without_being_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_rows, "LARGEST_ROW", 1000)
    enormous = f'<row Id="9" Body="{"x" * 5000}" />'
    assert read(posts(*GOOD[:2], enormous, GOOD[2]), 100) == [
        "1", "2", "larger than 1,000 bytes", "3",
    ]  # fmt: skip


def test_too_many_broken_rows_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_rows, "MOST_BROKEN_ROWS", 2)
    with pytest.raises(DataError, match=r"Posts.xml: has more than 2 broken rows .*invalid token"):
        read(posts(*['<row Id="9" Body="a & b" />'] * 3))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty, or is not XML"),
        (b"PK\x03\x04 no XML", "is not XML: not well-formed"),
        (b"Id,Title\n1,a\n", "is not XML: not well-formed|is not XML: syntax error"),
        (posts(*GOOD).decode().encode("utf-16"), "is encoded in UTF-16; UTF-8 is needed"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><posts/>', "is encoded in ISO-8859-1; UTF-8"),
        (b"<html><row Id='1'/></html>", "is not posts of a Stack Exchange dump, but <html>"),
        (b"<postlinks/>", "is not posts of a Stack Exchange dump, but <postlinks>"),
        (posts(*GOOD)[:-20], "ends too early; the file is not complete"),
        (posts(*GOOD)[:-4], "ends too early; the file is not complete"),
        (b"<posts><row Id='1' B='a & ", "ends in a broken row; the file is not complete"),
    ],
)
def test_what_is_no_complete_dump_is_an_error(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(content, 4096)


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a SYSTEM "http://127.0.0.1:9/x">%a;',
        "",
    ],
)
def test_entities_are_neither_expanded_nor_fetched(declared: str) -> None:
    content = f"<!DOCTYPE posts [{declared}]>\n<posts><row Id='&a;'/></posts>".encode()
    with pytest.raises(DataError, match="declares a document type"):
        read(content, 4096)


@given(st.binary(max_size=300), st.integers(1, 60))
def test_any_bytes_inside_a_dump_give_rows_or_one_error(noise: bytes, size: int) -> None:
    content = b"<posts>\n<row Id='1'/>\n" + noise + b"\n<row Id='2'/>\n</posts>"
    try:
        found = list(XmlRows("Posts.xml", "posts").rows(pieces_of(content, size)))
    except DataError:
        return
    assert isinstance(found[0], Row)
    assert all(isinstance(each, Row | BrokenRow) for each in found)
