"""Bodies that do not arrive are cut off; nobody else notices."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.services.serving.live_service import JSON, LiveService, head, pull, service

BODY = pull("hello")


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """A service that waits a second for a body."""
    options = ("--body-seconds", 1, "--deadline-ms", 1000, "--queue-limit", 4)
    with service(tmp_path_factory.mktemp("impatient"), *options) as live:
        yield live


def post(content: bytes, length: int) -> bytes:
    return head("POST", "/v1/pull", JSON, length) + content


def stalled() -> bytes:
    return post(BODY[:5], len(BODY))


def test_a_stalled_body_is_cut_off_with_408_and_others_are_served(
    impatient: LiveService,
) -> None:
    with impatient.wire() as wire:
        began = time.monotonic()
        wire.send(stalled())
        while time.monotonic() < began + 1:
            assert impatient.pull("x").status == 200
        answer = wire.read()

        assert answer.status == 408
        assert answer.headers["connection"] == "close"
        assert 1 <= time.monotonic() - began < 6
        assert wire.is_closed_by_server()


def test_a_trickled_body_is_cut_off_too(impatient: LiveService) -> None:
    with impatient.wire() as wire:
        began = time.monotonic()
        wire.send(post(b"", 1000))
        wire.socket.settimeout(0.2)
        while time.monotonic() < began + 8:
            try:
                wire.send(b" ")
                wire.socket.recv(1, 2)
                break
            except TimeoutError:
                continue
            except OSError:
                break
        assert time.monotonic() - began < 7
    assert impatient.pull("x").status == 200


def test_a_stalled_body_cannot_hide_behind_a_pipelined_request(
    impatient: LiveService,
) -> None:
    with impatient.wire() as wire:
        began = time.monotonic()
        wire.send(post(BODY, len(BODY)) + stalled())
        assert wire.read().status == 200
        try:
            assert wire.read().status == 408
        except ConnectionError:
            assert wire.is_closed_by_server()
        assert time.monotonic() - began < 8


def test_idle_and_waiting_connections_are_left_alone(impatient: LiveService) -> None:
    with impatient.wire() as idle:
        idle.send(head("GET", "/livez"))
        idle.read("GET")
        with impatient.wire() as slow:
            slow.send(stalled())
            assert slow.read().status == 408
        idle.send(head("GET", "/livez"))
        assert idle.read("GET").status == 200


def test_many_stalled_bodies_leave_threads_for_the_probes(
    impatient: LiveService,
) -> None:
    wires = [impatient.wire() for _ in range(60)]
    try:
        for wire in wires:
            wire.send(stalled())
        began = time.monotonic()
        assert impatient.get("/livez").status == 200
        assert impatient.get("/readyz").status == 200
        assert time.monotonic() - began < 0.9
        statuses = [wire.read().status for wire in wires]
    finally:
        for wire in wires:
            wire.close()
    assert set(statuses) == {408, 503}
    assert impatient.pull("x").status == 200
