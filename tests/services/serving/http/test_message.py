"""Heads as they are understood, and replies as they are sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.serving.http.message import BadHead, Head, Headers, Reply, encode_reply, read_head

HOST = (b"Host", b"a")
CLIENT, SERVER = ("192.0.2.1", 1000), ("192.0.2.2", 80)


def head_of(target: bytes = b"/", *pairs: tuple[bytes, bytes], **options: Any) -> Head:
    options = {"version": "1.1", "keep_alive": True, **options}
    return read_head("GET", target, (HOST, *pairs), client=CLIENT, server=SERVER, **options)


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/", "/", ""),
        (b"/v1/match?top=3&x=%20", "/v1/match", "top=3&x=%20"),
        (b"/?", "/", ""),
        (b"/a?b?c", "/a", "b?c"),
        (b"/a#part", "/a", ""),
        (b"/a?b#part", "/a", "b"),
        (b"//a//b", "/a//b", ""),
        (b"/a%20b%2Fc", "/a b/c", ""),
        (b"/%C3%A9", "/é", ""),
        (b"/%FF", "/\ufffd", ""),
        (b"/%", "/%", ""),
        (b"/%zz", "/%zz", ""),
        (b"/%3Fa", "/?a", ""),
        (b"http://example.test/a?b", "/a", "b"),
        (b"http://example.test/%41", "/A", ""),
        (b"http://example.test", "/", ""),
        (b"http://example.test?b", "/", "b"),
        (b"http://user:word@example.test:80/a?b#part", "/a", "b"),
    ],
)
def test_a_target_is_a_decoded_path_and_a_raw_query(target: bytes, path: str, query: str) -> None:
    head = head_of(target)

    assert (head.path, head.query) == (path, query)


def test_a_question_mark_behind_a_fragment_begins_no_query() -> None:
    assert head_of(b"/a#part?b").query == ""


@pytest.mark.parametrize("target", [b"//a", b"///a", b"/%2f/a", b"http://example.test//a"])
def test_a_path_begins_with_one_slash_for_every_application(target: bytes) -> None:
    head = head_of(target)

    assert (head.path, head.raw_path) == ("/a", "/a")


def test_the_raw_path_keeps_each_byte_as_one_character() -> None:
    head = head_of(b"/%C3%A9%FF")

    assert head.raw_path.encode("latin-1") == b"/\xc3\xa9\xff"


@pytest.mark.parametrize("target", [b"*", b"a", b"", b"example.test:80", b"?a", b"http:"])
def test_what_is_no_path_is_refused(target: bytes) -> None:
    with pytest.raises(BadHead, match="target"):
        head_of(target)


@given(st.binary(max_size=40))
def test_any_target_is_read_or_refused(target: bytes) -> None:
    try:
        head = head_of(target)
    except BadHead:
        return
    head.raw_path.encode("latin-1")
    head.path.encode("utf-8")


@pytest.mark.parametrize("hosts", [[], [HOST, HOST], [HOST, (b"HOST", b"b")]])
def test_there_must_be_one_host(hosts: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(BadHead, match="one Host"):
        read_head("GET", b"/", hosts, version="1.1", keep_alive=True, client=CLIENT, server=SERVER)


def test_an_old_client_needs_no_host() -> None:
    head = read_head("GET", b"/", [], version="1.0", keep_alive=False, client=CLIENT, server=SERVER)

    assert (head.path, head.keep_alive, head.version) == ("/", False, "1.0")


def test_white_space_around_a_value_is_no_part_of_it() -> None:
    headers = Headers([(b"X-Key", b"\t one two \t"), (b"X-Key", b"three "), (b"Empty", b" ")])

    assert headers.get("x-key") == "one two,three"
    assert headers.get("empty", "given") == ""


def test_a_length_with_white_space_behind_it_is_one() -> None:
    assert head_of(b"/", (b"Content-Length", b"49 ")).declared == 49


def test_headers_are_found_without_regard_to_case() -> None:
    headers = Headers([(b"X-Key", b"one"), (b"x-kEY", b"two"), (b"Other", b"\xe9")])

    assert headers.get("x-key") == headers.get("X-KEY") == "one,two"
    assert headers.get("other") == "é"
    assert headers.get("absent") == ""
    assert headers.get("absent", "given") == "given"
    assert headers.count("x-key") == 2
    assert dict(headers.items()) == {"x-key": "one,two", "other": "é"}


@pytest.mark.parametrize(
    ("pair", "declared"),
    [
        ((b"X", b"5"), 0),
        ((b"Content-Length", b"0"), 0),
        ((b"content-LENGTH", b"17"), 17),
        ((b"Transfer-Encoding", b"chunked"), None),
    ],
)
def test_a_body_is_declared_by_its_length_or_chunked(
    pair: tuple[bytes, bytes], declared: int | None
) -> None:
    assert head_of(b"/", pair).declared == declared


@pytest.mark.parametrize("length", [b"-1", b"+1", b"1_0", b"0x1", b"1,1", b"\xb2", b"9" * 19, b""])
def test_a_length_that_is_none_is_refused(length: bytes) -> None:
    with pytest.raises(BadHead, match="Content-Length"):
        head_of(b"/", (b"Content-Length", length))


def test_only_a_client_of_today_waits_for_a_word() -> None:
    expect = (b"Expect", b"100-Continue")

    assert head_of(b"/", expect).expects_continue
    assert not head_of(b"/", expect, version="1.0").expects_continue
    assert not head_of(b"/", (b"Expect", b"something")).expects_continue


# Replies

DATE = "Sat, 28 Nov 2026 00:00:00 GMT"


def sent(reply: Reply, **options: Any) -> bytes:
    options = {"version": "1.1", "ends_connection": False, "without_body": False, **options}
    return encode_reply(reply, date=DATE, **options)


def lines(reply: Reply, **options: Any) -> list[str]:
    """The lines of the head that is sent."""
    head, _, _ = sent(reply, **options).partition(b"\r\n\r\n")
    return head.decode("latin-1").split("\r\n")


def values(name: str, reply: Reply, **options: Any) -> list[str]:
    pairs = [line.split(": ", 1) for line in lines(reply, **options)[1:]]
    return [value for key, value in pairs if key.lower() == name]


def test_a_reply_says_status_headers_and_length() -> None:
    encoded = sent(Reply(404, [("X-A", "1"), ("X-A", "2")], b"none"))

    assert encoded == (
        b"HTTP/1.1 404 Not Found\r\nX-A: 1\r\nX-A: 2\r\n"
        b"Date: Sat, 28 Nov 2026 00:00:00 GMT\r\nContent-Length: 4\r\n\r\nnone"
    )


def test_a_status_without_a_name_is_sent_as_a_number() -> None:
    assert lines(Reply(599))[0] == "HTTP/1.1 599 "


def test_what_the_server_says_itself_is_said_once() -> None:
    own = [("DATE", "then"), ("content-length", "99"), ("Connection", "keep-alive, x")]
    reply = Reply(200, own, b"four")

    assert values("date", reply) == [DATE]
    assert values("content-length", reply) == ["4"]
    assert values("connection", reply) == []


@pytest.mark.parametrize(
    ("version", "ends", "expected"),
    [
        ("1.1", False, []),
        ("1.1", True, ["close"]),
        ("1.0", False, ["keep-alive"]),
        ("1.0", True, ["close"]),
    ],
)
def test_the_fate_of_the_connection_is_said_where_it_is_not_the_usual(
    version: str, ends: bool, expected: list[str]
) -> None:
    reply = Reply(200, [("Connection", "close")])

    assert values("connection", reply, version=version, ends_connection=ends) == expected


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_content_has_neither_body_nor_length(status: int) -> None:
    reply = Reply(status, [("Content-Length", "4")], b"body")

    assert values("content-length", reply) == []
    assert sent(reply).endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "reply",
    [Reply(200, [], b"four"), Reply(200, [("content-length", "4")])],
    ids=["body", "length"],
)
def test_a_reply_to_head_has_the_length_but_no_body(reply: Reply) -> None:
    assert values("content-length", reply, without_body=True) == ["4"]
    assert sent(reply, without_body=True).endswith(b"\r\n\r\n")


@pytest.mark.parametrize("value", ["close", "Close"])
def test_an_application_can_end_the_connection(value: str) -> None:
    assert Reply(200, [("connection", value)]).ends_connection
    assert not Reply(200, [("X-Connection", value)]).ends_connection


@given(st.text(st.characters(exclude_characters="\r\n\0")), st.binary(max_size=20))
@example("\u010d\u010aX-Evil: 1\u2028\x85\x0b\u560d\u560a", b"")
def test_no_letter_of_a_value_can_change_what_is_read(value: str, body: bytes) -> None:
    reply = Reply(200, [("X-Value", value), ("X-Next", "next")], body)

    names = [line.partition(":")[0] for line in lines(reply)]
    assert names == ["HTTP/1.1 200 OK", "X-Value", "X-Next", "Date", "Content-Length"]
    assert sent(reply).endswith(b"\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\n X", "a\r\n\r\nHTTP/1.1 200 OK", "\0"])
def test_a_value_with_a_line_break_adds_no_line(value: str) -> None:
    head, _, rest = sent(Reply(200, [("X-Value", value)])).partition(b"\r\n\r\n")

    assert len(head.splitlines()) == 4
    assert b"\0" not in head
    assert rest == b""
