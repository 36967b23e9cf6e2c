"""One connection: requests in their order, and who ends it when."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

import pytest

from services.serving.http.limits import MOST_WAITING
from tests.services.serving.http.scripted_site import (
    ScriptedSite,
    Served,
    get,
    post,
    post_chunked,
    until,
)
from tests.services.serving.live_service import head

MIB = 1 << 20


def test_a_connection_is_used_again(served: Served) -> None:
    with served.wire() as wire:
        for number in range(3):
            wire.send(post(f"/{number}", b"body"))
            answer = wire.read()
            assert answer.status == 200
            assert answer.body == b"/%d body" % number
            assert "connection" not in answer.headers


def test_a_chunked_body_is_handed_over_as_one(served: Served) -> None:
    with served.wire() as wire:
        wire.send(post_chunked("/", b"one", b"two") + b"0\r\n\r\n")
        assert wire.read().body == b"/ onetwo"


def test_a_body_is_handed_over_when_it_is_whole(site: ScriptedSite, served: Served) -> None:
    with served.wire() as wire:
        wire.send(post("/", b"bo", length=4))
        exchange = site.opened("/")
        assert exchange.told == []
        wire.send(b"dy")
        assert wire.read().body == b"/ body"


def test_bodies_that_arrive_by_turns_are_not_mixed_up(served: Served) -> None:
    bodies = {b"/%d" % number: bytes([65 + number]) * 3000 for number in range(8)}
    wires = {path: served.wire() for path in bodies}
    for path, wire in wires.items():
        wire.send(post(path.decode(), bodies[path][:1], length=3000))
    for start in range(1, 3000, 500):
        for path, wire in wires.items():
            wire.send(bodies[path][start : start + 500])
    for path, wire in wires.items():
        assert wire.read().body == path + b" " + bodies[path]
        wire.close()


def test_the_second_request_is_opened_when_the_first_is_answered(
    site: ScriptedSite, served: Served
) -> None:
    with served.wire() as wire:
        wire.send(get("/held/first") + get("/refused/second"))
        first = site.opened("/held/first")
        with served.wire() as other:
            other.send(get("/other"))
            other.read()
        assert site.paths == ["/held/first", "/other"]
        first.reply_later()

        assert wire.read().body == b"/held/first "
        assert wire.read().status == 503


def test_no_more_is_read_while_a_second_request_waits(site: ScriptedSite, served: Served) -> None:
    """The client's own system holds what it sends; the server does not collect it."""
    with served.wire() as wire:
        wire.send(get("/held"))
        site.opened("/held")
        wire.send(post("/next", b"", length=64 * MIB))
        wire.socket.settimeout(0.2)
        sent = 0
        with suppress(TimeoutError):
            while sent < 64 * MIB:
                sent += wire.socket.send(bytes(MIB))
        assert sent < 32 * MIB, "the kernel's buffers are smaller"


def test_reading_goes_on_after_the_first_of_two(site: ScriptedSite, served: Served) -> None:
    with served.wire() as wire:
        wire.send(get("/held") + get("/second"))
        first = site.opened("/held")
        wire.send(get("/third"))
        time.sleep(0.05)
        wire.send(get("/fourth"))
        first.reply_later()

        assert [wire.read().body for _ in range(4)] == [
            b"/held ",
            b"/second ",
            b"/third ",
            b"/fourth ",
        ]


def test_a_client_that_wants_to_go_is_let_go(served: Served) -> None:
    with served.wire() as wire:
        wire.send(get("/", Connection="close"))

        assert wire.read().headers["connection"] == "close"
        assert wire.is_closed_by_server()


def test_an_old_client_goes_unless_it_asks_to_stay(served: Served) -> None:
    with served.wire() as wire:
        wire.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert wire.read().headers["connection"] == "keep-alive"
        wire.send(b"GET / HTTP/1.0\r\n\r\n")
        assert wire.read().headers["connection"] == "close"
        assert wire.is_closed_by_server()


def test_an_application_can_end_the_connection(site: ScriptedSite, served: Served) -> None:
    with served.wire() as wire:
        wire.send(get("/held"))
        site.opened("/held").reply_later(("Connection", "close"))

        assert wire.read().headers["connection"] == "close"
        assert wire.is_closed_by_server()


def test_while_draining_each_connection_ends_with_its_next_reply(served: Served) -> None:
    with served.wire() as wire:
        wire.send(get("/first"))
        assert "connection" not in wire.read().headers
        served.draining.set()
        wire.send(get("/second"))
        assert wire.read().headers["connection"] == "close"
        assert wire.is_closed_by_server()


def test_a_reply_to_head_does_not_shift_the_next_one(served: Served) -> None:
    with served.wire() as wire:
        wire.send(head("HEAD", "/head") + get("/next"))

        answer = wire.read("HEAD")
        assert answer.headers["content-length"] == str(len("/head "))
        assert wire.read().body == b"/next "


def test_a_faulty_request_is_answered_behind_the_good_one_and_ends_the_connection(
    site: ScriptedSite, served: Served
) -> None:
    with served.wire() as wire:
        wire.send(get("/held") + b"rubbish\r\n\r\n" + get("/third"))
        site.opened("/held").reply_later()

        assert wire.read().status == 200
        fault = wire.read()
        assert fault.status == 400
        assert fault.headers["connection"] == "close"
        assert fault.headers["content-type"] == "application/problem+json"
        assert wire.is_closed_by_server()
    assert site.paths == ["/held"]


def test_a_body_that_is_not_valid_is_a_failure_of_its_request(
    site: ScriptedSite, served: Served
) -> None:
    with served.wire() as wire:
        wire.send(post_chunked("/", b"one") + b"rubbish\r\n")
        answer = wire.read()

        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert site.exchanges[0].told == ["fail 400"]
        assert wire.is_closed_by_server()


def test_a_client_that_stops_in_a_body_is_told(site: ScriptedSite, served: Served) -> None:
    with served.wire() as wire:
        wire.send(post("/", b"bo", length=4))
        wire.socket.shutdown(socket.SHUT_WR)

        assert wire.read().status == 400
        assert wire.is_closed_by_server()
    assert site.exchanges[0].told == ["fail 400"]


@pytest.mark.parametrize("sent", [b"", b"GET / HT"], ids=["nothing", "half a head"])
def test_a_client_that_stops_between_requests_is_let_go(served: Served, sent: bytes) -> None:
    with served.wire() as wire:
        wire.send(sent)
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.is_closed_by_server()


@pytest.mark.parametrize(
    "request_", [get("/held"), post("/held", b"bo", length=4)], ids=["whole", "half"]
)
def test_a_client_that_hangs_up_is_let_go_of_once(
    site: ScriptedSite, served: Served, request_: bytes
) -> None:
    with served.wire() as wire:
        wire.send(request_)
        exchange = site.opened("/held")
        _reset(wire.socket)
    assert until(lambda: "abandon" in exchange.told)
    exchange.reply_later()
    with served.wire() as other:
        other.send(get("/"))
        assert other.read().status == 200

    assert exchange.told.count("abandon") == 1


def test_what_was_answered_is_not_abandoned(site: ScriptedSite, served: Served) -> None:
    with served.wire() as wire:
        wire.send(get("/first"))
        wire.read()
        _reset(wire.socket)
    served.close()

    assert site.exchanges[0].told == ["receive"]


def test_a_second_reply_is_passed_over(site: ScriptedSite, served: Served) -> None:
    with served.wire() as wire:
        wire.send(get("/held"))
        exchange = site.opened("/held")
        exchange.reply_later()
        exchange.reply_later()
        assert wire.read().body == b"/held "
        wire.send(get("/next"))
        assert wire.read().body == b"/next "


def test_thousands_of_requests_are_answered_in_their_order(
    site: ScriptedSite, served: Served
) -> None:
    with served.wire() as wire:
        for start in range(0, 3000, MOST_WAITING):
            numbers = range(start, start + MOST_WAITING)
            wire.send(b"".join(get(f"/{number}") for number in numbers))
            bodies = [wire.read().body for _ in numbers]
            assert bodies == [b"/%d " % number for number in numbers]


def test_more_requests_than_may_wait_are_a_fault_behind_their_replies(
    site: ScriptedSite, served: Served
) -> None:
    with served.wire() as wire:
        wire.send(get("/refused") * 1000)
        statuses = [wire.read().status for _ in range(MOST_WAITING + 2)]

        assert statuses == [503] * (MOST_WAITING + 1) + [400]
        assert wire.is_closed_by_server()


def _reset(connection: socket.socket) -> None:
    """Have the connection end at once, with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
