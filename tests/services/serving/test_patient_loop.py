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
MOMENT = 0.05


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
    """Seconds until the loop, which waits for it, has read what ``send`` sends from another thread."""
    here, there = socket.socketpair()
    here.setblocking(False)
    read = loop.create_future()

    def reader() -> None:
        if not read.done():
            read.set_result(here.recv(100))

    async def wait() -> float:
        began = time.monotonic()
        sending = threading.Timer(MOMENT, send, (there,))
        sending.start()
        await read
        sending.join()
        return time.monotonic() - began - MOMENT

    with here, there:
        loop.add_reader(here, reader)
        seconds = loop.run_until_complete(wait())
        loop.remove_reader(here)
    return seconds


def at_once(there: socket.socket) -> None:
    there.send(b"x")


def two(there: socket.socket, then: Callable[[], object]) -> None:
    """Send, and do something else in a moment."""
    there.send(b"x")
    time.sleep(MOMENT)
    then()


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


def test_all_that_comes_meanwhile_is_looked_at_after_one_rest(loop: PatientLoop) -> None:
    told = Told(Rest(0.3, with_threads=True))
    pairs = [socket.socketpair() for _ in range(20)]
    read: list[int] = []
    all_read = loop.create_future()

    def note(here: socket.socket) -> None:
        here.recv(9)
        read.append(told.asked)
        if len(read) == len(pairs):
            all_read.set_result(None)

    def send() -> None:
        for _, there in pairs:
            there.send(b"x")
            time.sleep(0.001)

    for here, _ in pairs:
        here.setblocking(False)
        loop.add_reader(here, note, here)
    loop.be_patient(told)
    threading.Timer(MOMENT, send).start()
    loop.run_until_complete(all_read)

    assert len(set(read)) == 1
    for here, there in pairs:
        loop.remove_reader(here)
        here.close()
        there.close()


def test_what_comes_without_a_pause_is_taken_without_one(loop: PatientLoop) -> None:
    loop.be_patient(Told(Rest(0.2, with_threads=True)))
    here, there = socket.socketpair()
    here.setblocking(False)
    there.send(b"x" * 100)
    done = loop.create_future()
    left = [100]

    def take() -> None:
        left[0] -= len(here.recv(1))
        if not left[0]:
            done.set_result(None)

    with here, there:
        loop.add_reader(here, take)
        began = time.monotonic()
        loop.run_until_complete(done)
        loop.remove_reader(here)

    assert time.monotonic() - began < 5 * 0.2


def test_what_a_thread_has_finished_ends_a_rest(loop: PatientLoop) -> None:
    loop.be_patient(Told(Rest(2 * LONG, with_threads=False)))

    assert until_read(loop, lambda there: two(there, wake(loop))) < LONG


def test_what_a_thread_has_finished_is_looked_at_without_one(loop: PatientLoop) -> None:
    loop.be_patient(Told(Rest(2 * LONG, with_threads=False)))
    woken = loop.create_future()
    began = time.monotonic()
    threading.Timer(MOMENT, loop.call_soon_threadsafe, (woken.set_result, None)).start()
    loop.run_until_complete(woken)

    assert time.monotonic() - began < LONG


def test_but_it_waits_in_a_rest_in_which_threads_wait_as_well(loop: PatientLoop) -> None:
    loop.be_patient(Told(Rest(0.5, with_threads=True)))

    assert until_read(loop, lambda there: two(there, wake(loop))) > 0.4


def wake(loop: PatientLoop) -> Callable[[], object]:
    return lambda: loop.call_soon_threadsafe(lambda: None)


def test_who_waits_for_a_time_is_not_kept_waiting(loop: PatientLoop) -> None:
    told = Told(Rest(LONG, with_threads=True))
    loop.be_patient(told)
    due = loop.create_future()
    loop.call_later(3 * MOMENT, due.set_result, None)

    assert until_read(loop, at_once) < LONG
    loop.run_until_complete(due)
    assert told.asked


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
    callers, questions = 100, 5

    def ask(live: LiveService) -> None:
        body = pull("sleep:0.001")
        with live.wire() as wire:
            for _ in range(questions):
                wire.send(head("POST", "/v1/pull", JSON, len(body)) + body)
                assert wire.read().status == 200

    with service(
        tmp_path, "--max-batch", 1, "--queue-limit", 128, "--no-access-log", "--in-turn"
    ) as live:
        ask(live)
        before = turns_of_the_core(live.process.pid)
        with ThreadPoolExecutor(callers) as pool:
            for each in [pool.submit(ask, live) for _ in range(callers)]:
                each.result()
        turns = turns_of_the_core(live.process.pid) - before

    assert turns < callers * questions
