"""Each thing that a connection waits for has its time."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.services.serving.http.scripted_site import (
    LONG,
    ScriptedSite,
    Served,
    get,
    post,
    serving,
    until,
)
from tests.services.serving.live_service import Wire

MIB = 1 << 20
SHORT = 0.3
pytestmark = pytest.mark.usefixtures("frequent_sweeps")


@pytest.fixture
def hasty(site: ScriptedSite, request: pytest.FixtureRequest) -> Iterator[Served]:
    """Impatient with what the marker names."""
    with serving(site, replace(LONG, **dict.fromkeys(request.param.split(), SHORT))) as served:
        yield served


def impatient_with(what: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("hasty", [what], indirect=True)


def connections(served: Served) -> int:
    return len(served.listener._connections)


@impatient_with("body")
def test_a_body_has_its_time(site: ScriptedSite, hasty: Served) -> None:
    with hasty.wire() as wire:
        began = time.monotonic()
        wire.send(post("/", b"bo", length=4))
        answer = wire.read()

        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert time.monotonic() - began >= SHORT
        assert wire.is_closed_by_server()
    assert site.exchanges[0].told == ["fail 408"]


@impatient_with("body")
def test_a_body_gets_no_more_time_with_each_byte(hasty: Served) -> None:
    with hasty.wire() as wire:
        wire.send(post("/", b"", length=1000))
        for _ in range(8):
            time.sleep(SHORT / 4)
            wire.send(b"x")
        assert wire.read().status == 408


@impatient_with("body")
def test_a_bodys_time_begins_when_its_request_is_the_next_one(
    site: ScriptedSite, hasty: Served
) -> None:
    with hasty.wire() as wire:
        wire.send(get("/held") + post("/second", b"bo", length=4))
        first = site.opened("/held")
        time.sleep(2 * SHORT)
        first.reply_later()
        assert wire.read().status == 200
        wire.send(b"dy")
        assert wire.read().body == b"/second body"


@impatient_with("body idle head write linger")
def test_the_application_may_take_its_time(site: ScriptedSite, hasty: Served) -> None:
    with hasty.wire() as wire:
        wire.send(post("/held", b"body"))
        exchange = site.opened("/held")
        time.sleep(3 * SHORT)
        exchange.reply_later()
        assert wire.read().status == 200
    assert exchange.told == ["receive"]


@pytest.mark.parametrize(
    ("path", "told"), [("/held", "fail 408"), ("/held?most=0", "receive")], ids=["slow", "unwanted"]
)
@impatient_with("body")
def test_an_exchange_is_told_once_what_became_of_its_body(
    site: ScriptedSite, hasty: Served, path: str, told: str
) -> None:
    with hasty.wire() as wire:
        wire.send(post(path, b"bo", length=4))
        exchange = site.opened("/held")
        time.sleep(2 * SHORT)
        assert exchange.told == [told]


@impatient_with("head")
@pytest.mark.parametrize("before", [b"", get("/first")], ids=["first", "second"])
def test_a_head_has_its_time(hasty: Served, before: bytes) -> None:
    with hasty.wire() as wire:
        wire.send(before)
        if before:
            wire.read()
        wire.send(b"GET /")
        for _ in range(20):
            wire.send(b"x")
            time.sleep(SHORT / 8)
        answered, _, _ = select.select([wire.socket], [], [], 0)
        assert answered, "each byte gave it more time"
        answer = wire.read()

        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert wire.is_closed_by_server()


@impatient_with("head")
def test_an_idle_connection_is_not_taken_for_a_slow_head(hasty: Served) -> None:
    with hasty.wire() as wire:
        wire.send(get("/"))
        assert wire.read().status == 200
        time.sleep(2 * SHORT)
        wire.send(get("/"))
        assert wire.read().status == 200


@impatient_with("head")
def test_a_connection_that_brings_nothing_is_closed_without_a_word(hasty: Served) -> None:
    with hasty.wire() as wire:
        assert wire.is_closed_by_server()
    assert until(lambda: connections(hasty) == 0)


@impatient_with("idle")
def test_an_idle_connection_is_closed_without_a_word(hasty: Served) -> None:
    with hasty.wire() as wire:
        wire.send(get("/"))
        wire.read()
        began = time.monotonic()
        assert wire.is_closed_by_server()
        assert time.monotonic() - began >= SHORT / 2
    assert until(lambda: connections(hasty) == 0)


@impatient_with("body")
def test_a_rest_that_is_passed_over_has_its_time_too(hasty: Served) -> None:
    with hasty.wire() as wire:
        wire.send(post("/refused", b"bo", length=4))
        assert wire.read().status == 503
        assert wire.is_closed_by_server()


@impatient_with("linger")
def test_a_client_that_is_told_to_go_and_stays_is_cut_off(hasty: Served) -> None:
    with hasty.wire() as wire:
        wire.send(b"rubbish\r\n\r\n")
        assert wire.read().status == 400
        assert until(lambda: connections(hasty) == 0)


@impatient_with("write")
def test_a_client_that_does_not_read_is_cut_off(site: ScriptedSite, hasty: Served) -> None:
    with hasty.wire() as wire:
        wire.send(get(f"/large?size={32 * MIB}") + get("/held"))
        site.opened("/large")
        assert until(lambda: connections(hasty) == 0)
    assert site.paths == ["/large"]


@impatient_with("write")
def test_a_client_that_reads_late_but_in_time_gets_everything(hasty: Served) -> None:
    with hasty.wire() as wire:
        wire.send(get(f"/large?size={16 * MIB}") + get("/next"))
        time.sleep(SHORT / 3)
        assert len(wire.read().body) == 16 * MIB
        assert wire.read().body == b"/next "
        time.sleep(2 * SHORT)
        wire.send(get("/again"))
        assert wire.read().body == b"/again "


@impatient_with("write")
def test_a_client_that_wants_to_go_but_does_not_read_is_cut_off(
    site: ScriptedSite, hasty: Served
) -> None:
    """The last reply neither fits into the kernel's buffers nor fills the server's own."""
    listening = hasty.listener._accepting._socket
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", hasty.port))
        client.sendall(get("/held?size=60000", Connection="close"))
        site.opened("/held").reply_later()
        time.sleep(SHORT / 2)
        assert connections(hasty) == 1, "the reply does not fit into the kernel's buffers"
        assert until(lambda: connections(hasty) == 0, within=5)


@impatient_with("linger")
def test_a_client_that_is_told_to_go_may_read_as_slowly_as_any_other(hasty: Served) -> None:
    hasty.draining.set()
    with hasty.wire() as wire:
        wire.send(get(f"/large?size={16 * MIB}") + get("/second"))
        time.sleep(2 * SHORT)
        assert len(wire.read().body) == 16 * MIB


@impatient_with("body")
def test_an_application_that_breaks_does_not_end_all_patience(hasty: Served) -> None:
    with hasty.wire() as broken, hasty.wire() as other:
        broken.send(post("/broken", b"bo", length=4))
        time.sleep(2 * SHORT)
        other.send(post("/", b"bo", length=4))
        other.socket.settimeout(5)
        assert _status(other) == 408


def _status(wire: Wire) -> int | None:
    try:
        return wire.read().status
    except ConnectionError:
        return None
