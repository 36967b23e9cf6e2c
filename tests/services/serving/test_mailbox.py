"""What threads have finished reaches the event loop, all of it and in few awakenings."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from services.serving.mailbox import Mailbox

THREADS, TASKS = 8, 3000


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that knows how often another thread woke it."""

    awakenings = 0

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
        self.awakenings += 1
        return super().call_soon_threadsafe(callback, *args, context=context)


@pytest.fixture
def loop() -> Iterator[CountingLoop]:
    loop = CountingLoop()
    loop.set_exception_handler(lambda *_: None)
    yield loop
    loop.close()


def run(loop: CountingLoop, until: Callable[[], bool], within: float = 20) -> None:
    """Run the loop until something is true, or its time is over."""

    async def wait() -> None:
        while not until():
            await asyncio.sleep(0.005)

    with suppress(TimeoutError):
        loop.run_until_complete(asyncio.wait_for(wait(), within))


def many_threads(mailbox: Mailbox, done: list[tuple[int, int]]) -> list[threading.Thread]:
    """Threads that each put in many tasks, which note thread and number."""

    def put(thread: int) -> None:
        for number in range(TASKS):
            mailbox.put(lambda number=number: done.append((thread, number)))

    threads = [threading.Thread(target=put, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    return threads


def in_order(done: list[tuple[int, int]]) -> bool:
    """Whether each thread's tasks were all done, once and in the order they were put in."""
    return all(
        [number for thread, number in done if thread == each] == list(range(TASKS))
        for each in range(THREADS)
    )


def test_nothing_is_lost_while_threads_put_and_the_loop_runs(loop: CountingLoop) -> None:
    done: list[tuple[int, int]] = []
    threads = many_threads(Mailbox(loop), done)
    run(loop, lambda: len(done) >= THREADS * TASKS)
    for thread in threads:
        thread.join()

    assert in_order(done)


def test_one_awakening_serves_all_that_came_while_the_loop_was_busy(loop: CountingLoop) -> None:
    done: list[tuple[int, int]] = []
    for thread in many_threads(Mailbox(loop), done):
        thread.join()
    assert done == []
    run(loop, lambda: len(done) >= THREADS * TASKS)

    assert in_order(done)
    # Each thread may have found the loop unawakened once.
    assert 1 <= loop.awakenings <= THREADS


def test_each_task_that_finds_the_loop_asleep_wakes_it(loop: CountingLoop) -> None:
    mailbox, done = Mailbox(loop), list[int]()
    for number in range(3):
        threading.Thread(target=mailbox.put, args=(lambda each=number: done.append(each),)).start()
        run(loop, lambda wanted=number: len(done) > wanted)

    assert done == [0, 1, 2]
    assert loop.awakenings == 3


def test_what_is_put_in_while_it_is_held_waits_for_its_delivery(loop: CountingLoop) -> None:
    mailbox, done = Mailbox(loop), list[str]()

    async def hold() -> list[str]:
        mailbox.hold()
        mailbox.put(lambda: done.append("of the loop"))
        await asyncio.to_thread(mailbox.put, lambda: done.append("of a thread"))
        mailbox.put(lambda: done.append("last"))
        await asyncio.sleep(0)
        assert done == []
        mailbox.deliver()
        return list(done)

    assert loop.run_until_complete(hold()) == ["of the loop", "of a thread", "last"]
    mailbox.put(lambda: done.append("after it"))
    run(loop, lambda: len(done) == 4, within=1)
    assert done[-1] == "after it"


def test_a_task_may_put_in_another(loop: CountingLoop) -> None:
    mailbox, done = Mailbox(loop), list[str]()
    mailbox.put(lambda: mailbox.put(lambda: done.append("second")))
    run(loop, lambda: bool(done))

    assert done == ["second"]


def test_a_task_that_fails_does_not_hold_up_those_behind_it(loop: CountingLoop) -> None:
    mailbox, done = Mailbox(loop), list[str]()

    def fail() -> None:
        raise RuntimeError

    mailbox.put(fail)
    mailbox.put(lambda: done.append("next"))
    run(loop, lambda: bool(done), within=1)

    assert done == ["next"]


def test_what_is_finished_after_the_loop_is_dropped(loop: CountingLoop) -> None:
    mailbox = Mailbox(loop)
    loop.close()

    mailbox.put(lambda: None)
