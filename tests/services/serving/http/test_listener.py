"""Listening, and an orderly end."""

from __future__ import annotations

import errno
import math
import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

import pytest

from tests.services.serving.http.scripted_site import ScriptedSite, Served, get, post, until
from tests.services.serving.live_service import Wire


def test_many_clients_are_served_side_by_side(site: ScriptedSite, served: Served) -> None:
    wires = [served.wire() for _ in range(50)]
    for number, wire in enumerate(wires):
        wire.send(get(f"/held/{number}"))
    for number in reversed(range(50)):
        site.opened(f"/held/{number}").reply_later()
        assert wires[number].read().body == b"/held/%d " % number
        wires[number].close()


def test_a_reply_says_when_it_was_made(served: Served) -> None:
    with served.wire() as wire:
        wire.send(get("/"))
        made = parsedate_to_datetime(wire.read().headers["date"])

        assert abs(made.timestamp() - time.time()) < 5


def test_the_head_says_where_a_request_comes_from_and_goes_to(
    site: ScriptedSite, served: Served
) -> None:
    with served.wire() as wire:
        wire.send(get("/"))
        wire.read()

        head = site.exchanges[0].head
        assert head.client == wire.socket.getsockname()
        assert head.server == ("127.0.0.1", served.port)


def refuses(served: Served) -> bool:
    try:
        served.wire().close()
    except ConnectionRefusedError:
        return True
    return False


def test_the_end_closes_idle_connections_and_takes_no_new_ones(served: Served) -> None:
    with served.wire() as new, served.wire() as used:
        used.send(get("/"))
        used.read()
        began = time.monotonic()
        served.close(20)

        assert time.monotonic() - began < 10
        assert new.is_closed_by_server()
        assert used.is_closed_by_server()
        assert refuses(served)


def in_background(served: Served, within_seconds: float) -> threading.Thread:
    thread = threading.Thread(target=served.close, args=(within_seconds,))
    thread.start()
    assert until(lambda: refuses(served))
    return thread


def test_the_end_waits_for_what_is_under_way(site: ScriptedSite, served: Served) -> None:
    served.draining.set()
    with served.wire() as wire, served.wire() as sending, served.wire() as beginning:
        wire.send(get("/held"))
        sending.send(post("/body", b"bo", length=4))
        beginning.send(b"GET /head HT")
        exchange = site.opened("/held")
        site.opened("/body")
        closing = in_background(served, 20)

        exchange.reply_later()
        assert wire.read().headers["connection"] == "close"
        sending.send(b"dy")
        assert sending.read().body == b"/body body"
        assert closing.is_alive(), "half a head is under way too"
        beginning.send(b"TP/1.1\r\nHost: a\r\n\r\n")
        assert beginning.read().body == b"/head "
        closing.join(10)
        assert not closing.is_alive()


def test_the_end_gives_up_after_its_time(
    site: ScriptedSite, served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with served.wire() as wire:
        wire.send(get("/held"))
        site.opened("/held")
        began = time.monotonic()
        served.close(0.3)

        assert 0.3 <= time.monotonic() - began < 10
    assert [record.connections for record in caplog.records] == [1]  # type: ignore[attr-defined]


def test_requests_that_meet_the_end_are_answered(served: Served) -> None:
    """As a load balancer sends them that has not yet heard of it: new connections one after another."""
    served.draining.set()
    began = threading.Event()

    def ask_on() -> list[bool]:
        answered: list[bool] = []
        while True:
            try:
                with served.wire() as wire:
                    wire.send(get("/"))
                    answered.append(wire.read().status == 200)
            except ConnectionRefusedError:
                return answered
            except ConnectionError:
                answered.append(False)
            began.set()

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask_on) for _ in range(4)]
        began.wait(10)
        served.close(10)
        answers = [answer for each in asking for answer in each.result(30)]

    # Where the listener's socket is closed, the system resets what it has not handed over yet.
    assert answers.count(False) <= 4
    assert answers.count(True) > 4


@pytest.fixture
def three_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.serving.http.listener.MOST_CONNECTIONS", 3)


@pytest.mark.usefixtures("three_connections")
def test_one_connection_too_many_is_closed_until_another_one_ends(served: Served) -> None:
    wires = [served.wire() for _ in range(3)]
    for wire in wires:
        assert _serves(wire)
    with served.wire() as fourth:
        assert fourth.is_closed_by_server()
    assert all(_serves(wire) for wire in wires)
    wires.pop().close()

    assert until(lambda: len(served.listener._connections) == 2)
    with served.wire() as again:
        assert _serves(again)
    for wire in wires:
        wire.close()


def _serves(wire: Wire) -> bool:
    wire.send(get("/"))
    return wire.read().status == 200


def busy(served: Served) -> threading.Event:
    """The loop does nothing from now on until this is set."""
    has_begun, is_over = threading.Event(), threading.Event()
    served.loop.call_soon_threadsafe(lambda: (has_begun.set(), is_over.wait(10)))
    assert has_begun.wait(10)
    return is_over


def test_a_new_connection_is_answered_before_who_comes_after_it(
    site: ScriptedSite, served: Served
) -> None:
    with served.wire() as old:
        assert _serves(old)
        is_over = busy(served)
        with served.wire() as new:
            new.send(get("/new"))
            old.send(get("/old"))
            is_over.set()
            new.read()
            old.read()
    assert site.paths[1:] == ["/new", "/old"]


class Failing:
    """A socket that is listened on, whose ``accept`` fails so many times."""

    def __init__(self, listening: socket.socket, error: int, times: float) -> None:
        self.fileno, self.close, self._accept = listening.fileno, listening.close, listening.accept
        self._error, self._times = error, times

    def accept(self) -> object:
        self._times -= 1
        if self._times >= 0:
            raise OSError(self._error, os.strerror(self._error))
        return self._accept()


@pytest.fixture
def fails(served: Served, monkeypatch: pytest.MonkeyPatch) -> Callable[[int, float], None]:
    def fails(error: int, times: float) -> None:
        accepting = served.listener._accepting
        monkeypatch.setattr(accepting, "_socket", Failing(accepting._socket, error, times))

    return fails


Fails = Callable[[int, float], None]


def test_it_tries_again_where_the_system_has_no_room_for_a_connection(
    served: Served,
    fails: Fails,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("services.serving.http.accepting.RETRY_SECONDS", 0.05)
    fails(errno.EMFILE, 2)
    with served.wire() as wire:
        assert _serves(wire)
    assert [record.getMessage() for record in caplog.records] == [
        "no connection can be taken: Too many open files"
    ] * 2


def test_a_connection_that_is_gone_before_it_is_taken_keeps_nobody_waiting(
    served: Served, fails: Fails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.serving.http.accepting.RETRY_SECONDS", 60)
    for error in (errno.ECONNABORTED, errno.EPROTO):
        fails(error, 2)
        with served.wire() as wire:
            assert _serves(wire)


def test_after_the_end_it_does_not_try_again(
    served: Served, fails: Fails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.serving.http.accepting.RETRY_SECONDS", 0.2)
    fails(errno.EMFILE, math.inf)
    with served.wire():
        assert until(lambda: served.listener._accepting._retrying is not None)
        served.close(0)
    time.sleep(0.3)


def test_the_end_takes_those_who_have_connected_by_then(
    site: ScriptedSite, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.serving.http.accepting.MOST_AT_ONCE", 1)
    monkeypatch.setattr("services.serving.http.listener.STRAGGLERS_SECONDS", 0)
    is_over = busy(served)
    wires = [served.wire() for _ in range(20)]
    for number, wire in enumerate(wires):
        wire.send(get(f"/{number}"))
    served.loop.call_soon_threadsafe(is_over.wait, 10)
    closing = threading.Thread(target=served.close, args=(5,))
    closing.start()
    time.sleep(0.05)
    is_over.set()
    for number, wire in enumerate(wires):
        assert wire.read().body == b"/%d " % number
        wire.close()
    closing.join(10)


def test_an_answer_does_not_wait_for_the_acknowledgement_of_the_last_one(served: Served) -> None:
    with served.wire() as wire:
        assert _serves(wire)
        (connection,) = served.listener._connections
        taken = connection._transport.get_extra_info("socket")
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
