"""How much a WSGI application is given at once."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from services.serving.byte_budget import ByteBudget
from tests.services.serving.http.scripted_site import get, post, post_chunked, until
from tests.services.serving.http.wsgi_applications import MOST_BYTES, Gate, ask, wsgi

LAST = b"0\r\n\r\n"


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


def test_no_more_threads_than_allowed_answer_at_once(gate: Gate) -> None:
    with wsgi(gate, threads=3) as served:
        wires = [served.wire() for _ in range(8)]
        for wire in wires:
            wire.send(get("/"))
        assert until(lambda: gate.inside == 3)
        time.sleep(0.1)
        gate.open.set()
        assert [wire.read().status for wire in wires] == [200] * 8
        for wire in wires:
            wire.close()
    assert gate.most_inside == 3


@pytest.mark.parametrize(
    "second", [post("/", bytes(500)), post_chunked("/", b"x") + LAST], ids=["length", "chunked"]
)
def test_a_body_over_the_budget_is_a_problem_for_the_application(gate: Gate, second: bytes) -> None:
    budget = ByteBudget(1000)
    with wsgi(gate, byte_budget=budget) as served, served.wire() as first:
        first.send(post("/", bytes(600)))
        assert until(lambda: gate.inside == 1)
        assert ask(served, second).status == 503
        assert budget.held == 600
        gate.open.set()
        assert first.read().status == 200
        assert until(lambda: budget.held == 0)
        assert ask(served, second).status == 200
    assert budget.held == 0


def test_a_body_over_its_own_limit_is_not_told_to_come_back(gate: Gate) -> None:
    budget = ByteBudget(MOST_BYTES)
    with wsgi(gate, byte_budget=budget) as served, budget.hold(MOST_BYTES):
        assert ask(served, post("/", b"", length=MOST_BYTES + 1)).status == 413


def test_a_client_that_hangs_up_before_its_body_was_there_holds_nothing(gate: Gate) -> None:
    budget = ByteBudget(1000)
    with wsgi(gate, byte_budget=budget) as served:
        with served.wire() as wire:
            wire.send(post("/", b"x", length=600))
            assert until(lambda: budget.held == 600)
        assert until(lambda: budget.held == 0)


def test_a_body_is_held_until_the_application_has_done_with_it(gate: Gate) -> None:
    """Whoever hangs up leaves it there: many in a row would be as many bodies in memory."""
    budget = ByteBudget(1000)
    with wsgi(gate, byte_budget=budget) as served:
        with served.wire() as wire:
            wire.send(post("/", bytes(600)))
            assert until(lambda: gate.inside == 1)
        assert ask(served, post("/", bytes(500))).status == 503
        assert budget.held == 600
        gate.open.set()
        assert until(lambda: budget.held == 0)


def test_a_small_body_needs_no_place(gate: Gate) -> None:
    budget = ByteBudget(1000)
    gate.open.set()
    with wsgi(gate, byte_budget=budget, uncounted_bytes=100) as served, budget.hold(1000):
        assert ask(served, post("/", bytes(100))).status == 200
        assert ask(served, post("/", bytes(101))).status == 503
        assert ask(served, post_chunked("/", b"x") + LAST).status == 503


def test_a_body_over_the_budget_is_not_asked_for(gate: Gate) -> None:
    budget = ByteBudget(1000)
    with wsgi(gate, byte_budget=budget) as served, budget.hold(900), served.wire() as wire:
        wire.send(post("/", b"", length=500, Expect="100-continue"))

        assert wire.socket.recv(12) == b"HTTP/1.1 503"
