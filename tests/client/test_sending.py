"""Sending is over in its time, and what has passed by then is not granted again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import client
from client import ScoringClient
from client.sending import LEAST_SECONDS, PIECE_BYTES, Body, TimeLeft
from tests.slow_reader import slow_reader


@contextmanager
def given_up_within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    with pytest.raises(client.DeadlineExceeded):
        yield
    assert time.monotonic() - began < seconds


def test_a_service_that_takes_a_picture_too_slowly_is_given_up_in_time():
    with (
        slow_reader(pause_seconds=0.02) as url,
        ScoringClient(url, timeout=2) as made,
        given_up_within(6),
    ):
        made.classify(bytes(32 << 20))


def test_an_answer_that_begins_late_and_stalls_is_given_up_in_time(service):
    def stall(exchange) -> None:
        time.sleep(1.5)
        exchange.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        time.sleep(3)

    service.behaviour = stall
    with ScoringClient(service.url, timeout=2) as made, given_up_within(3):
        made.match("q")


def test_a_picture_of_many_pieces_arrives_whole_each_time_it_is_sent(service):
    picture = bytes(range(256)) * (PIECE_BYTES // 100)
    service.in_turn(
        lambda exchange: exchange.problem(503, Retry_After="0"),
        lambda exchange: exchange.as_expected(),
    )
    with ScoringClient(service.url) as made:
        made.classify(picture)
    assert [received.body for received in service.received] == [picture, picture]
    for received in service.received:
        assert received.headers["content-length"] == str(len(picture))
        assert "transfer-encoding" not in received.headers


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, PIECE_BYTES + 1])
def test_a_body_is_all_of_its_content(size):
    content = bytes(size)
    body = Body(content, time.monotonic() + 60)
    assert b"".join(body) == b"".join(body) == content
    assert max(map(len, body), default=0) <= PIECE_BYTES


def test_each_phase_of_a_request_has_what_is_left_when_it_begins():
    left = TimeLeft(time.monotonic() + 60)
    at_first = left.get("connect")
    time.sleep(0.01)
    assert 0 < left.get("read") < at_first <= 60


def test_what_is_left_is_never_nothing():
    """A socket with a timeout of 0 does not wait, and does not say that its time is over."""
    assert TimeLeft(time.monotonic() - 1).get("read") == LEAST_SECONDS > 0
