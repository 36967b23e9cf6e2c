"""What a site at capacity refuses is refused without being opened, and the connection goes on."""

from __future__ import annotations

import time

import pytest

from services.serving.http.limits import Patience
from tests.services.serving.http.scripted_site import (
    ScriptedSite,
    Served,
    get,
    post,
    serving,
)

FULL = post("/full", b"body")
MIB = 1 << 20


@pytest.fixture(autouse=True)
def full(site: ScriptedSite) -> None:
    site.is_at_capacity = True


def test_it_is_refused_again_and_again_and_served_once_there_is_room(
    site: ScriptedSite, served: Served
) -> None:
    with served.wire() as wire:
        for number in range(3):
            wire.send(post(f"/full/{number}", b"body"))
            answer = wire.read()
            assert (answer.status, answer.body) == (503, b"/full/%d" % number)
            assert answer.headers["date"]
            assert "connection" not in answer.headers
        assert site.paths == []

        site.is_at_capacity = False
        wire.send(FULL)
        assert wire.read().body == b"/full body"


def test_what_needs_no_capacity_is_served(served: Served) -> None:
    with served.wire() as wire:
        for request, body in [
            (get("/full"), b"/full "),
            (post("/other", b"body"), b"/other body"),
        ]:
            wire.send(request)
            assert wire.read().body == body


@pytest.mark.parametrize("place", [1, 20, len(FULL) - 1])
def test_what_arrives_in_pieces_is_opened(place: int, served: Served) -> None:
    with served.wire() as wire:
        wire.send(FULL[:place])
        with served.wire() as other:
            other.send(FULL)
            assert other.read().status == 503
        wire.send(FULL[place:])
        assert wire.read().status == 200
        wire.send(FULL)
        assert wire.read().status == 503


def test_requests_stay_in_their_order(site: ScriptedSite, served: Served) -> None:
    with served.wire() as wire:
        wire.send(post("/held", b""))
        held = site.opened("/held")
        wire.send(FULL)
        with served.wire() as other:
            other.send(FULL)
            assert other.read().status == 503
        held.reply_later()
        assert wire.read().body == b"/held "
        assert wire.read().body == b"/full body"


def test_while_draining_a_connection_ends_with_its_next_reply(served: Served) -> None:
    served.draining.set()
    with served.wire() as wire:
        wire.send(FULL)
        assert wire.read().headers["connection"] == "close"
        assert wire.is_closed_by_server()


def test_what_is_no_request_is_told_so(served: Served) -> None:
    with served.wire() as wire:
        wire.send(b"no request\r\n\r\n")
        assert wire.read().status == 400
        assert wire.is_closed_by_server()


@pytest.mark.usefixtures("frequent_sweeps")
def test_a_refused_client_has_the_time_of_an_idle_one(site: ScriptedSite) -> None:
    patience = Patience(body=20, head=20, idle=0.2, write=20, linger=5)
    with serving(site, patience) as served, served.wire() as wire:
        wire.send(FULL)
        assert wire.read().status == 503
        assert wire.is_closed_by_server()


@pytest.mark.usefixtures("frequent_sweeps")
def test_a_client_that_does_not_read_its_refusal_is_not_waited_for_like_an_idle_one(
    site: ScriptedSite,
) -> None:
    patience = Patience(body=20, head=20, idle=20, write=0.2, linger=5)
    with serving(site, patience) as served, served.wire() as wire:
        wire.send(post(f"/full?size={32 * MIB}", b""))
        time.sleep(1)
        with pytest.raises(ConnectionError):
            wire.read()


def test_a_client_that_does_not_read_is_not_written_to(served: Served) -> None:
    """Else refusals would pile up in memory for one that only sends."""
    with served.wire() as wire:
        wire.send(post(f"/full?size={32 * MIB}", b""))
        time.sleep(0.1)
        wire.send(FULL)
        with served.wire() as other:
            other.send(FULL)
            assert other.read().status == 503

        assert len(wire.read().body) == 32 * MIB
        assert wire.read().body == b"/full body", "it was opened once the client had read"
