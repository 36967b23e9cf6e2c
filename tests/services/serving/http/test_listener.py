"""Listening, and an orderly end."""

from __future__ import annotations

import threading
import time
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
