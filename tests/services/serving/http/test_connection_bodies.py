"""Bodies that are too large, not wanted, or still on their way when the reply is there."""

from __future__ import annotations

import socket
import threading
import time
import tracemalloc
from contextlib import suppress

import pytest

from services.serving.http.limits import DISCARDED_BYTES, Patience
from tests.services.serving.http.scripted_site import (
    ScriptedSite,
    Served,
    get,
    post,
    post_chunked,
    serving,
    until,
)
from tests.services.serving.live_service import Wire

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
KIB, MIB = 1 << 10, 1 << 20
LAST = b"0\r\n\r\n"


def received_so_far(wire: Wire, count: int) -> bytes:
    """That many bytes, or fewer where no more come within a moment."""
    wire.socket.settimeout(0.3)
    data = b""
    try:
        while len(data) < count and (piece := wire.socket.recv(count - len(data))):
            data += piece
    except TimeoutError:
        pass
    return data


@pytest.mark.parametrize(
    "sent",
    [
        post("/?most=10", b"", length=11, Expect="100-continue"),
        post("/?most=10", b"x" * 11),
        post_chunked("/?most=10", b"x" * 5, b"x" * 6),
    ],
    ids=["declared", "sent", "chunked"],
)
def test_a_body_over_the_limit_is_refused(site: ScriptedSite, served: Served, sent: bytes) -> None:
    with served.wire() as wire:
        wire.send(sent)
        answer = wire.read()

    assert answer.status == 413
    assert site.exchanges[0].told == ["fail 413"]


def test_a_body_of_exactly_the_limit_is_taken(served: Served) -> None:
    with served.wire() as wire:
        wire.send(post("/?most=10", b"x" * 10))
        assert wire.read().status == 200
        wire.send(post_chunked("/?most=10", b"x" * 10) + LAST)
        assert wire.read().status == 200


def test_where_no_body_is_wanted_it_is_not_waited_for(served: Served) -> None:
    with served.wire() as wire:
        wire.send(post("/?most=0", b"bo", length=4))
        assert wire.read().body == b"/ "
        wire.send(b"dy" + get("/next"))
        assert wire.read().body == b"/next "


def test_a_client_that_waits_for_a_word_gets_it_once(served: Served) -> None:
    for body in (post("/", b"", length=4, Expect="100-continue"),) * 2:
        with served.wire() as wire:
            wire.send(body)
            assert received_so_far(wire, len(CONTINUE)) == CONTINUE
            wire.send(b"bo")
            wire.send(b"dy")
            assert wire.read().body == b"/ body"


def test_the_word_is_given_when_its_request_is_the_next_one(
    site: ScriptedSite, served: Served
) -> None:
    with served.wire() as wire:
        wire.send(get("/held") + post("/second", b"", length=4, Expect="100-continue"))
        first = site.opened("/held")
        assert received_so_far(wire, 1) == b""
        first.reply_later()
        wire.socket.settimeout(10)
        assert wire.read().body == b"/held "
        assert wire._stream.read(len(CONTINUE)) == CONTINUE
        wire.send(b"body")
        assert wire.read().body == b"/second body"


@pytest.mark.parametrize(
    "sent",
    [
        post("/held?most=0", b"", length=4, Expect="100-continue"),
        post("/held", b"", length=0, Expect="100-continue"),
        post("/held", b"b", length=4, Expect="100-continue"),
        pytest.param(post_chunked("/held?most=0", Expect="100-continue")),
    ],
    ids=["not wanted", "none", "on its way", "chunked and not wanted"],
)
def test_the_word_is_not_given_where_it_is_not_needed(
    site: ScriptedSite, served: Served, sent: bytes
) -> None:
    with served.wire() as wire:
        wire.send(sent)
        site.opened("/held")
        assert received_so_far(wire, 1) == b""


def test_a_client_that_waits_for_a_word_and_is_refused_sends_nothing(served: Served) -> None:
    with served.wire() as wire:
        wire.send(post("/refused", b"", length=4, Expect="100-continue"))
        assert received_so_far(wire, 12) == b"HTTP/1.1 503"
    with served.wire() as wire:
        wire.send(post("/refused", b"", length=4, Expect="100-continue"))
        assert wire.read().headers["connection"] == "close"
        assert wire.is_closed_by_server()


@pytest.mark.parametrize("first", [0, 10, DISCARDED_BYTES])
def test_a_small_rest_is_passed_over_and_the_connection_goes_on(served: Served, first: int) -> None:
    with served.wire() as wire:
        wire.send(post("/refused", bytes(first), length=DISCARDED_BYTES))
        answer = wire.read()
        assert (answer.status, answer.headers.get("connection")) == (503, None)
        wire.send(bytes(DISCARDED_BYTES - first) + get("/next"))

        assert wire.read().body == b"/next "


@pytest.mark.parametrize(
    "sent",
    [post("/refused", b"", length=DISCARDED_BYTES + 1), post_chunked("/refused", b"x")],
    ids=["large", "unknown"],
)
def test_a_large_or_unknown_rest_ends_the_connection(served: Served, sent: bytes) -> None:
    with served.wire() as wire:
        wire.send(sent)
        answer = wire.read()

        assert (answer.status, answer.headers["connection"]) == (503, "close")
        assert wire.is_closed_by_server()


def test_a_client_that_goes_on_sending_can_still_read_its_reply(served: Served) -> None:
    """Most clients read only when they have sent everything."""
    size = 30 * MIB
    with served.wire() as wire:
        wire.send(post("/refused", b"", length=size))
        for _ in range(30):
            wire.send(bytes(MIB))

        answer = wire.read()
        assert (answer.status, answer.headers["connection"]) == (503, "close")
        assert wire.is_closed_by_server()


def is_cut_off(wire: Wire) -> bool:
    """Whether a further chunk meets a connection that is no more."""
    try:
        wire.send(b"%x\r\n%b\r\n" % (KIB, bytes(KIB)))
    except ConnectionError:
        return True
    return False


@pytest.mark.usefixtures("frequent_sweeps")
def test_a_client_that_never_stops_sending_is_cut_off(site: ScriptedSite) -> None:
    with serving(site, Patience(body=20, linger=0.2)) as served, served.wire() as wire:
        wire.send(post_chunked("/refused"))
        assert until(lambda: is_cut_off(wire))


def held_while_sending(wire: Wire) -> int:
    """The most memory that is held while 32 MiB of chunks are sent, as far as they are taken."""
    piece = b"%x\r\n%b\r\n" % (256 * KIB, bytes(256 * KIB))
    wire.socket.settimeout(0.5)
    tracemalloc.start()
    with suppress(TimeoutError):
        for _ in range(128):
            wire.send(piece)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


@pytest.mark.parametrize("path", ["/held?most=0", "/held?most=10"], ids=["unwanted", "too large"])
def test_a_body_that_nobody_waits_for_is_not_kept(
    site: ScriptedSite, served: Served, path: str
) -> None:
    """The application takes its time with the reply, and the client goes on sending."""
    with served.wire() as wire:
        wire.send(post_chunked(path))
        site.opened("/held")
        assert held_while_sending(wire) < 8 * MIB


def test_a_body_is_not_collected_while_its_client_does_not_read(served: Served) -> None:
    with served.wire() as wire:
        wire.send(get(f"/large?size={8 * MIB}"))
        wire.socket.recv(1, socket.MSG_PEEK)
        time.sleep(0.1)
        wire.send(post_chunked("/second?most=10"))
        assert held_while_sending(wire) < 16 * MIB, "the large reply itself may be among it"


def test_bodies_of_many_clients_do_not_mix(served: Served) -> None:
    wrong: list[bytes] = []

    def ask(number: int) -> None:
        body = bytes([number]) * 20_000
        with served.wire() as wire:
            for _ in range(5):
                wire.send(post(f"/{number}", body))
                if (answer := wire.read().body) != b"/%d %b" % (number, body):
                    wrong.append(answer[:20])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert until(lambda: len(served.listener._connections) == 0)
