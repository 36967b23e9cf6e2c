"""Bodies that do not arrive are cut off; nobody else notices."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.services.serving.live_service import JSON, LiveService, Wire, head, pull, service

BODY = pull("hello")


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """A service that waits a second for a body."""
    options = ("--body-seconds", 1, "--deadline-ms", 1000, "--queue-limit", 4)
    with service(tmp_path_factory.mktemp("impatient"), *options) as live:
        yield live


def post(content: bytes, length: int) -> bytes:
    return head("POST", "/v1/pull", JSON, length) + content


def cut_off(wire: Wire) -> bool:
    """Whether the service has answered or closed the connection, or does within 0.2 s."""
    wire.socket.settimeout(0.2)
    try:
        wire.socket.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


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
        assert time.monotonic() - began >= 1
        assert wire.is_closed_by_server()


def test_a_stalled_chunked_body_is_cut_off_although_it_looks_complete(
    impatient: LiveService,
) -> None:
    with impatient.wire() as wire:
        chunk = b"%x\r\n%s\r\n" % (len(BODY), BODY)
        wire.send(head("POST", "/v1/pull", {**JSON, "Transfer-Encoding": "chunked"}) + chunk)

        assert wire.read().status == 408


def test_a_trickled_body_is_cut_off_too(impatient: LiveService) -> None:
    with impatient.wire() as wire:
        began = time.monotonic()
        wire.send(post(b"", 1000))
        wire.socket.settimeout(0.2)
        while not cut_off(wire):
            assert time.monotonic() < began + 30, "never cut off"
            with suppress(ConnectionError):
                wire.send(b" ")
    assert impatient.pull("x").status == 200


def test_a_stalled_body_cannot_hide_behind_a_pipelined_request(
    impatient: LiveService,
) -> None:
    with impatient.wire() as wire:
        wire.send(post(BODY, len(BODY)) + stalled())
        assert wire.read().status == 200
        try:
            assert wire.read().status == 408
        except ConnectionError:
            assert wire.is_closed_by_server()


def test_idle_and_waiting_connections_are_left_alone(impatient: LiveService) -> None:
    with impatient.wire() as idle:
        idle.send(head("GET", "/livez"))
        idle.read("GET")
        with impatient.wire() as slow:
            slow.send(stalled())
            assert slow.read().status == 408
        idle.send(head("GET", "/livez"))
        assert idle.read("GET").status == 200


@contextmanager
def many_stalled(live: LiveService) -> Iterator[list[Wire]]:
    """Connections whose bodies do not arrive, far more than it takes requests."""
    wires = [live.wire() for _ in range(60)]
    try:
        for wire in wires:
            wire.send(stalled())
        yield wires
    finally:
        for wire in wires:
            wire.close()


def test_many_stalled_bodies_are_cut_off_and_take_no_place_from_others(
    impatient: LiveService,
) -> None:
    with many_stalled(impatient) as wires:
        assert impatient.pull("x").status == 200
        statuses = [wire.read().status for wire in wires]

    assert set(statuses) == {408}
    assert impatient.metric("modelsvc_queue_bytes") == 0


def test_many_stalled_bodies_leave_the_probes_alone(tmp_path: Path) -> None:
    with service(tmp_path, "--body-seconds", 60, "--queue-limit", 4) as patient:
        with many_stalled(patient) as wires:
            assert patient.get("/livez").status == 200
            assert patient.get("/readyz").status == 200
            answered, _, _ = select.select([wire.socket for wire in wires], [], [], 0)
        assert len(answered) < len(wires), "some bodies were still waited for"
