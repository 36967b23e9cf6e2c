"""A glance tells one whole request from all else, and is as good the next time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.serving.http.glance import Glance
from tests.services.serving.http.scripted_site import get, post, post_chunked
from tests.services.serving.live_service import head

WHOLE = post("/score?top=3", b'{"question": "why"}')
CHUNKED = post_chunked("/chunks", b"one", b"two") + b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "target"),
    [
        (WHOLE, b"/score?top=3"),
        (CHUNKED, b"/chunks"),
        (post("/empty", b""), b"/empty"),
        (post("/%C3%A9", b"x", Any="thing"), b"/%C3%A9"),
        (post("/" + "long" * 5_000, b"x"), b"/" + b"long" * 5_000),
    ],
)
def test_a_whole_post_has_a_target(data: bytes, target: bytes) -> None:
    glance = Glance()
    for _ in range(3):
        assert glance.target_of(memoryview(data)) == target


@pytest.mark.parametrize(
    "data",
    [
        get("/score"),
        head("PUT", "/score", {}, 1) + b"x",
        post("/score", b"x", Connection="close"),
        WHOLE.replace(b"HTTP/1.1", b"HTTP/1.0"),
        WHOLE + WHOLE,
        get("/") + WHOLE,
        WHOLE + b"P",
        WHOLE + b"\x00",
        post("/score", b"xy") + b"z",
        post("/score", b"x", Upgrade="h2c", Connection="Upgrade"),
        post("/score", b"", length=5, Expect="100-continue"),
        b"this is no request\r\n\r\n",
        b"POST /score HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"POST /score HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"",
    ],
)
def test_all_else_is_for_a_closer_look_and_leaves_nothing_behind(data: bytes) -> None:
    glance = Glance()
    for _ in range(2):
        assert glance.target_of(memoryview(data)) is None
        assert glance.target_of(memoryview(WHOLE)) == b"/score?top=3"


@given(st.sampled_from([WHOLE, CHUNKED]), st.data())
def test_a_part_of_a_request_is_none(request: bytes, data: st.DataObject) -> None:
    part = request[: data.draw(st.integers(0, len(request) - 1))]
    rest = request[data.draw(st.integers(1, len(request))) :]
    glance = Glance()
    assert glance.target_of(part) is None
    assert glance.target_of(rest) is None
    assert glance.target_of(request) is not None


@given(st.lists(st.binary(max_size=40) | st.sampled_from([WHOLE, CHUNKED, WHOLE[:30]]), max_size=6))
def test_nothing_that_came_before_counts(pieces: list[bytes]) -> None:
    glance = Glance()
    for piece in pieces:
        glance.target_of(piece)
    assert glance.target_of(CHUNKED) == b"/chunks"
