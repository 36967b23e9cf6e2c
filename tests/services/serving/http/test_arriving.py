"""Bytes become requests, however they are cut, or a fault."""

from __future__ import annotations

import itertools
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.serving.http.arriving import Arriving, Message
from services.serving.http.limits import (
    DISCARDED_BYTES,
    MOST_HEAD_BYTES,
    MOST_HEADERS,
    MOST_WAITING,
)
from tests.services.serving.http.scripted_site import get, post, post_chunked
from tests.services.serving.live_service import head

UPGRADE = {"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAMA"}
LAST = b"0\r\n\r\n"


def arriving(*pieces: bytes) -> Arriving:
    """What arrives in these pieces, up to the first fault."""
    arriving = Arriving(("192.0.2.1", 1000), ("192.0.2.2", 80), head_seconds=30)
    for piece in pieces:
        if arriving.fault is None:
            arriving.feed(piece)
    return arriving


def content(message: Message) -> tuple[Any, ...]:
    head = message.head
    body = b"".join(message.pieces)
    assert message.received == len(body)
    return (
        head.method, head.path, head.query, dict(head.headers.items()), head.declared,
        head.keep_alive, body, message.complete,
    )  # fmt: skip


def contents(arriving: Arriving) -> list[tuple[Any, ...]]:
    return [content(message) for message in arriving.messages]


def status(arriving: Arriving) -> int | None:
    return arriving.fault.status if arriving.fault else None


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(ends)]


paths = st.sampled_from(["/", "/v1/match?top=3", "/%C3%A9", "http://a.test/b"])
headers = st.dictionaries(
    st.sampled_from(["X-A", "X-B", "Cookie", "Accept", "Expect"]), st.sampled_from(["", "1", "a b"])
)
bodies = st.binary(max_size=30)
requests = st.one_of(
    st.builds(lambda path, more: get(path, **more), paths, headers),
    st.builds(lambda path, body, more: post(path, body, None, **more), paths, bodies, headers),
    st.builds(
        lambda path, pieces, more, trailer: post_chunked(path, *pieces, **more) + trailer,
        paths,
        st.lists(bodies.filter(bool), max_size=3),
        headers,
        st.sampled_from([LAST, b"0\r\nX-Trailer: 1\r\n\r\n"]),
    ),
    st.builds(lambda path: get(path, **UPGRADE), paths),
    st.builds(lambda path, body: post(path, body, None, **UPGRADE), paths, bodies),
    st.builds(lambda path, body: post_chunked(path, body + b"x", **UPGRADE) + LAST, paths, bodies),
)
places = st.lists(st.integers(min_value=0), max_size=12)


@given(st.lists(requests, min_size=1, max_size=4), places)
def test_the_same_requests_arrive_however_they_are_cut(
    sent: list[bytes], places: list[int]
) -> None:
    whole = arriving(b"".join(sent))
    in_pieces = arriving(*cut(b"".join(sent), places))

    assert status(whole) is status(in_pieces) is None
    assert len(whole.messages) == len(sent)
    assert all(message.complete for message in whole.messages)
    assert contents(in_pieces) == contents(whole)
    assert in_pieces.head_deadline is None


@given(st.lists(requests, min_size=1, max_size=3), st.binary(min_size=1, max_size=30), places)
def test_a_fault_takes_nothing_from_what_came_before(
    sent: list[bytes], rubbish: bytes, places: list[int]
) -> None:
    data = b"".join(sent) + rubbish
    whole = arriving(data)
    in_pieces = arriving(*cut(data, places))

    assert contents(whole)[: len(sent)] == contents(arriving(b"".join(sent)))
    assert contents(in_pieces) == contents(whole)
    assert status(in_pieces) == status(whole)


alphabet = st.sampled_from(
    [b"GET ", b"POST ", b"/", b" HTTP/1.1", b" HTTP/1.0", b"\r\n", b"\n", b"Host: a", b":", b" ",
     b"Content-Length: 3", b"Transfer-Encoding: chunked", b"Upgrade: x", b"Connection: upgrade",
     b"3\r\nabc\r\n", b"0\r\n\r\n", b"CONNECT ", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"a:80"]
)  # fmt: skip
noise = st.binary(max_size=60) | st.lists(alphabet | st.binary(max_size=3), max_size=20).map(
    lambda words: b"".join(words)
)


@given(noise, places)
@settings(max_examples=300)
def test_any_bytes_are_requests_or_a_fault(data: bytes, places: list[int]) -> None:
    """Whatever arrives, nothing is raised, and the cuts make no difference."""
    whole, in_pieces = arriving(data), arriving(*cut(data, places))

    assert status(whole) == status(in_pieces)
    assert contents(whole) == contents(in_pieces)


@pytest.mark.parametrize(
    "sent",
    [
        b"rubbish\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        head("GET", "/", [("Host", "a"), ("Host", "b")]),
        head("GET", "/", {"X Y": "1"}),
        head("GET", "/", {"X": "a\r\n b"}),
        head("GET", "/", {"X": "a\0b"}),
        head("GET", "/", {"X ": "1"}),
        head("CONNECT", "a:80"),
        head("POST", "/", {"Content-Length": "3", "Transfer-Encoding": "chunked"}) + b"0\r\n\r\n",
        head("POST", "/", {"Transfer-Encoding": "chunked", "Content-Length": "3"}) + b"0\r\n\r\n",
        head("POST", "/", [("Content-Length", "3"), ("Content-Length", "4")]) + b"abcd",
        head("POST", "/", {"Content-Length": "3, 3"}) + b"abc",
        head("POST", "/", {"Content-Length": "-3"}),
        head("POST", "/", {"Content-Length": "9" * 40}),
        head("POST", "/", {"Transfer-Encoding": ""}) + b"abc",
        head("POST", "/", {"Transfer-Encoding": "chunked, gzip"}),
        head("POST", "/", {"Transfer-Encoding": "gzip"}),
        head("POST", "/", {"Transfer-Encoding": "chunked"}) + b"x\r\nabc",
        head("POST", "/", {"Transfer-Encoding": "chunked"}) + b"3\r\nabcd\r\n",
        head("POST", "/", {"Transfer-Encoding": "chunked"}) + b"3\nabc\n",
    ],
)
@pytest.mark.parametrize("before", [b"", get("/first")], ids=["alone", "second"])
def test_what_is_not_valid_is_a_fault(sent: bytes, before: bytes) -> None:
    arrived = arriving(before + sent)

    assert status(arrived) == 400
    assert len([message for message in arrived.messages if message.complete]) == bool(before)
    assert arrived.head_deadline is None


def test_a_fault_says_why_where_it_is_the_servers_own_rule() -> None:
    fault = arriving(head("CONNECT", "a:80")).fault

    assert fault is not None
    assert "this is no proxy" in fault.detail


def test_a_head_may_have_so_many_headers_and_no_more() -> None:
    many = [(f"X-{number}", "1") for number in range(MOST_HEADERS - 1)]

    assert status(arriving(head("GET", "/", many))) is None
    assert status(arriving(head("GET", "/", [*many, ("X", "1")]))) == 400


@pytest.mark.parametrize("part", ["target", "name", "value"])
def test_a_head_that_does_not_end_is_a_fault(part: str) -> None:
    begin = {"target": b"GET /", "name": b"GET / HTTP/1.1\r\n", "value": b"GET / HTTP/1.1\r\nX: "}
    pieces = [b"x" * 1000] * (MOST_HEAD_BYTES // 1000)

    arrived = arriving(begin[part], *pieces)
    assert status(arrived) is None
    arrived.feed(b"x" * 1000)
    assert status(arrived) == 431
    assert not arrived.messages


@pytest.mark.parametrize(
    "before",
    [post("/", bytes(MOST_HEAD_BYTES)), get("/", X="x" * 2000) * MOST_WAITING],
    ids=["body", "requests"],
)
def test_what_came_before_a_head_is_not_counted(before: bytes) -> None:
    second = get("/second")
    arrived = arriving(before + second[:10], second[10:])

    assert status(arrived) is None
    assert arrived.messages[-1].head.path == "/second"


def test_a_head_is_waited_for_from_its_first_byte_to_its_last() -> None:
    arrived = arriving(b"\r\n")
    assert arrived.head_deadline is None
    arrived.feed(b"G")
    deadline = arrived.head_deadline
    assert deadline is not None
    arrived.feed(b"ET / HTTP/1.1\r\nHost: a\r\n")
    assert arrived.head_deadline == deadline
    arrived.feed(b"\r\n")
    assert arrived.head_deadline is None


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_the_wish_for_another_protocol_is_passed_over(framing: str, size: int) -> None:
    first = post("/a", b"body", None, **UPGRADE)
    if framing == "chunked":
        first = post_chunked("/a", b"bo", b"dy", **UPGRADE) + LAST
    sent = first + get("/b")

    arrived = arriving(*(sent[start : start + size] for start in range(0, len(sent), size)))

    assert [message.head.path for message in arrived.messages] == ["/a", "/b"]
    assert b"".join(arrived.messages[0].pieces) == b"body"
    assert arrived.messages[0].head.headers.get("HTTP2-Settings") == "AAMA"
    assert not arrived.messages[0].head.headers.get("Upgrade")


def test_a_client_that_wishes_for_another_protocol_may_still_want_to_go() -> None:
    arrived = arriving(get("/", Upgrade="h2c", Connection="Upgrade, close"))

    assert not arrived.messages[0].head.keep_alive


def test_trailers_are_no_headers() -> None:
    trailers = b"".join(b"X-%d: 1\r\n" % number for number in range(2 * MOST_HEADERS))
    arrived = arriving(post_chunked("/", b"body") + b"0\r\n" + trailers + b"\r\n" + get("/b"))

    assert status(arrived) is None
    assert [message.head.headers.get("X-1") for message in arrived.messages] == ["", ""]


def test_a_trailer_that_does_not_end_fills_no_memory() -> None:
    arrived = arriving(post_chunked("/", b"body") + b"0\r\nX: ")
    tracemalloc.start()
    for _ in range(100):
        if arrived.fault is None:
            arrived.feed(b"x" * 50_000)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert held < 1 << 20


def test_the_body_of_a_request_that_is_replied_to_is_not_kept() -> None:
    arrived = arriving(post("/", b"", length=10_000))
    message = arrived.messages[0]
    message.replied = True
    arrived.feed(b"x" * 10_000)

    assert message.pieces == []
    assert message.received == 10_000
    assert message.complete


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (get("/"), True),
        (post("/", b"", length=DISCARDED_BYTES), True),
        (post("/", b"", length=DISCARDED_BYTES + 1), False),
        (post("/", b"x", length=DISCARDED_BYTES + 1), True),
        (post("/", b"", length=1, Expect="100-continue"), False),
        (post("/", b"x", length=1, Expect="100-continue"), True),
        (post_chunked("/", b"x"), False),
        (post_chunked("/", b"x") + LAST, True),
    ],
)
def test_a_small_rest_can_be_read_and_forgotten(sent: bytes, expected: bool) -> None:
    assert arriving(sent).messages[0].can_be_finished is expected
