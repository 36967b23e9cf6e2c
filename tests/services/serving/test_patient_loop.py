"""A loop that is told that there is time looks after what has come a little later, and at once."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.serving.patient_loop import PatientLoop, Rest
from tests.services.serving.live_service import JSON, LiveService, head, pull, service

LONG = 2.0
"""A rest that no machine is slow enough to be mistaken for."""


@pytest.fixture
def loop() -> Iterator[PatientLoop]:
    """A loop that has not been told anything."""
    loop = PatientLoop()
    yield loop
    loop.close()


class Told:
    """What a loop is told, and how often it has asked."""

    def __init__(self, rest: Rest | None) -> None:
        self.rest = rest
        self.asked = 0

    def __call__(self) -> Rest | None:
        self.asked += 1
        return self.rest


def until_read(loop: PatientLoop, send: Callable[[socket.socket], None]) -> float:
    """Seconds until the loop has read what ``send`` sends."""
    here, there = socket.socketpair()
    here.setblocking(False)
    read = loop.create_future()

    def reader() -> None:
        if not read.done():
            read.set_result(here.recv(100))

    async def wait() -> float:
        began = time.monotonic()
        send(there)
        await read
        return time.monotonic() - began

    with here, there:
        loop.add_reader(here, reader)
        seconds = loop.run_until_complete(wait())
        loop.remove_reader(here)
    return seconds


def at_once(there: socket.socket) -> None:
    there.send(b"x")


def test_who_is_told_nothing_looks_at_once(loop: PatientLoop) -> None:
    assert until_read(loop, at_once) < LONG


def test_without_time_for_a_rest_it_looks_at_once(loop: PatientLoop) -> None:
    told = Told(None)
    loop.be_patient(told)
    assert until_read(loop, at_once) < LONG
    assert told.asked


@pytest.mark.parametrize("with_threads", [False, True])
def test_what_has_come_waits_for_the_end_of_the_rest(loop: PatientLoop, with_threads: bool) -> None:
    loop.be_patient(Told(Rest(0.2, with_threads)))
    assert 0.15 < until_read(loop, at_once) < LONG


def test_all_that_came_meanwhile_is_looked_at_after_one_rest(loop: PatientLoop) -> None:
    told = Told(Rest(0.1, with_threads=True))
    pairs = [socket.socketpair() for _ in range(20)]
    read: list[bytes] = []

    async def wait() -> None:
        for _, there in pairs:
            there.send(b"x")
        while len(read) < len(pairs):
            await asyncio.sleep(LONG)

    for here, _ in pairs:
        here.setblocking(False)
        loop.add_reader(here, lambda here=here: read.append(here.recv(9)))
    loop.be_patient(told)
    waiting = loop.create_task(wait())
    loop.call_later(1.0, waiting.cancel)
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(waiting)

    assert len(read) == 20
    assert told.asked < 20
    for here, there in pairs:
        loop.remove_reader(here)
        here.close()
        there.close()


def test_what_a_thread_has_finished_ends_a_rest(loop: PatientLoop) -> None:
    loop.be_patient(Told(Rest(2 * LONG, with_threads=False)))

    def send(there: socket.socket) -> None:
        there.send(b"x")
        threading.Timer(0.05, loop.call_soon_threadsafe, (lambda: None,)).start()

    assert until_read(loop, send) < LONG


def test_but_not_one_in_which_threads_wait_as_well(loop: PatientLoop) -> None:
    loop.be_patient(Told(Rest(0.5, with_threads=True)))

    def send(there: socket.socket) -> None:
        there.send(b"x")
        threading.Timer(0.05, loop.call_soon_threadsafe, (lambda: None,)).start()

    assert until_read(loop, send) > 0.4


def test_who_waits_for_a_time_is_not_kept_waiting(loop: PatientLoop) -> None:
    loop.be_patient(Told(Rest(LONG, with_threads=True)))
    began = time.monotonic()
    loop.run_until_complete(asyncio.sleep(0.05))
    assert time.monotonic() - began < LONG


def test_what_is_due_already_comes_before_a_rest(loop: PatientLoop) -> None:
    told = Told(Rest(LONG, with_threads=True))
    loop.be_patient(told)

    async def busy() -> None:
        for _ in range(50):
            await asyncio.sleep(0)

    began = time.monotonic()
    loop.run_until_complete(busy())
    assert time.monotonic() - began < LONG
    assert told.asked == 0


def turns_of_the_core(process: int) -> int:
    """How often the process's first thread, in which its loop runs, has let the core go."""
    status = Path(f"/proc/{process}/task/{process}/status").read_text()
    found = re.search(r"^voluntary_ctxt_switches:\s*(\d+)", status, re.MULTILINE)
    assert found
    return int(found[1])


@pytest.mark.skipif(sys.platform != "linux", reason="needs proc(5)")
def test_a_service_whose_model_has_much_to_do_wakes_less_than_once_an_answer(
    tmp_path: Path,
) -> None:
    callers, questions = 30, 10

    def ask(live: LiveService) -> None:
        body = pull("sleep:0.005")
        with live.wire() as wire:
            for _ in range(questions):
                wire.send(head("POST", "/v1/pull", JSON, len(body)) + body)
                assert wire.read().status == 200

    with service(tmp_path, "--max-batch", 1, "--queue-limit", 64, "--no-access-log") as live:
        ask(live)
        before = turns_of_the_core(live.process.pid)
        with ThreadPoolExecutor(callers) as pool:
            for each in [pool.submit(ask, live) for _ in range(callers)]:
                each.result()
        turns = turns_of_the_core(live.process.pid) - before

    assert turns < callers * questions
