"""Where a batch is scored: in a thread of its own, or on the event loop between all else."""

from __future__ import annotations

import asyncio
import math
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from services.serving.batching import (
    LONG_WAIT_SECONDS,
    LOOP_TURN_SECONDS,
    ROUND_SECONDS,
    Batcher,
)
from services.serving.mailbox import Mailbox
from services.serving.turns import TurnsOfLoop, TurnsOfThread
from tests.waiting import wait_for


def turns_of_loop(turn: Callable[[], bool], *bounds: Any) -> TurnsOfLoop:
    """Those of the running loop, whose answers go by a mailbox."""
    loop = asyncio.get_running_loop()
    return TurnsOfLoop(turn, loop, Mailbox(loop), *bounds)


def score_on_this_loop(batcher: Batcher[int, int]) -> None:
    loop = asyncio.get_running_loop()
    batcher.score_on(loop, Mailbox(loop))


class Deliveries:
    """An outbox; does something when it is delivered."""

    def __init__(self, on_delivery: Callable[[], object]) -> None:
        self._on_delivery = on_delivery

    def hold(self) -> None:
        pass

    def deliver(self) -> None:
        self._on_delivery()


class Work:
    """So many turns' worth of work; notes what happens."""

    def __init__(self, turns: int = 0) -> None:
        self.left = turns
        self.noted: list[str] = []
        self.on_turn: Callable[[], object] = lambda: None

    def turn(self) -> bool:
        if self.left:
            self.left -= 1
            self.noted.append("turn")
            self.on_turn()
        return self.left > 0


def test_a_thread_takes_turns_until_nothing_is_left() -> None:
    work = Work(3)
    turns = TurnsOfThread(work.turn)
    time.sleep(0.01)
    assert work.noted == [], "nobody has asked"
    turns.ask()
    wait_for(lambda: work.left == 0, 10)
    assert turns.are_taken
    turns.end()
    assert not turns.are_taken
    assert work.noted == ["turn"] * 3


def test_a_thread_takes_the_turns_that_are_due_before_it_ends() -> None:
    work = Work(3)
    turns = TurnsOfThread(work.turn)
    turns.ask()
    turns.end()
    assert work.left == 0


def never() -> bool:
    return False


async def idle(times: int = 20) -> None:
    """Let the loop go round."""
    for _ in range(times):
        await asyncio.sleep(0)


def test_on_the_loop_what_is_due_comes_between_two_turns() -> None:
    async def run() -> list[str]:
        work = Work(3)
        turns = turns_of_loop(work.turn, never)
        turns.ask()
        turns.ask()
        assert work.noted == [], "who asks does not wait"
        for _ in range(20):
            await asyncio.sleep(0)
            work.noted.append("else")
        return work.noted

    noted = asyncio.run(run())
    first, second, third = (at for at, what in enumerate(noted) if what == "turn")
    assert second - first > 1
    assert third - second > 1


async def noted_while_one_asks_in_each_round(is_enough: Callable[[], bool]) -> list[str]:
    work = Work(1)
    turns = turns_of_loop(work.turn, is_enough)
    for _ in range(5):
        turns.ask()
        work.noted.append("asked")
        await asyncio.sleep(0)
    await idle()
    return work.noted


def test_who_comes_right_after_another_joins_the_batch() -> None:
    noted = asyncio.run(noted_while_one_asks_in_each_round(never))

    assert noted == [*["asked"] * 5, "turn"]


def test_a_full_batch_is_not_held_back_for_those_who_come() -> None:
    noted = asyncio.run(noted_while_one_asks_in_each_round(lambda: True))

    assert 0 < noted.index("turn") < 4


def test_who_fills_a_batch_alone_has_it_in_the_next_round_of_the_loop() -> None:
    async def run(is_enough: Callable[[], bool]) -> int:
        work = Work(1)
        turns_of_loop(work.turn, is_enough).ask()
        rounds = 0
        while work.left:
            await asyncio.sleep(0)
            rounds += 1
        return rounds

    assert asyncio.run(run(lambda: True)) == asyncio.run(run(never)) - 1


async def noted_where_each_turn_sends(work: Work, turns: TurnsOfLoop) -> list[str]:
    """The turns, and what the loop reads of what each of them sends."""
    loop = asyncio.get_running_loop()
    turns.ask()
    here, there = socket.socketpair()
    here.setblocking(False)
    with here, there:
        work.on_turn = lambda: there.send(b"x")
        loop.add_reader(here, lambda: work.noted.append(str(here.recv(9))))
        await idle()
        loop.remove_reader(here)
    return work.noted


def test_what_has_arrived_is_read_before_a_turn_that_follows_another() -> None:
    async def run() -> list[str]:
        work = Work(2)
        return await noted_where_each_turn_sends(work, turns_of_loop(work.turn, lambda: True))

    assert asyncio.run(run()) == ["turn", "b'x'", "turn", "b'x'"]


@pytest.mark.parametrize("is_more", [False, True])
def test_what_has_arrived_is_read_before_a_turn_that_an_answer_asked_for(is_more: bool) -> None:
    async def run() -> list[str]:
        work, taken = Work(4 if is_more else 1), []

        def ask_again() -> None:
            if len(taken) < 4:
                work.left = work.left or 1
                turns.ask()

        def turn() -> bool:
            taken.append(1)
            return work.turn()

        loop, outbox = asyncio.get_running_loop(), Deliveries(ask_again)
        turns = TurnsOfLoop(turn, loop, outbox, lambda: True)
        noted = await noted_where_each_turn_sends(work, turns)
        assert len(taken) == 4, "there is no second chain of turns"
        return noted

    assert asyncio.run(run()) == ["turn", "b'x'"] * 4


@pytest.mark.parametrize(("seconds", "together"), [(0.0, 1), (0.045, 2), (60.0, 7)])
def test_turn_may_follow_turn_for_a_while(seconds: float, together: int) -> None:
    async def run() -> list[str]:
        work = Work(7)
        work.on_turn = lambda: time.sleep(0.02)
        turns = turns_of_loop(work.turn, lambda: True, seconds)
        turns.ask()
        while work.left:
            await asyncio.sleep(0)
            work.noted.append("else")
        return work.noted

    rounds = [round_ for round_ in " ".join(asyncio.run(run())).split("else") if round_.strip()]
    counts = [round_.count("turn") for round_ in rounds]
    assert sum(counts) == 7
    assert max(counts) <= together
    assert seconds < 1 or counts == [7], "a slow machine gets fewer into a short time"


def test_another_thread_may_ask_the_loop() -> None:
    async def run() -> int:
        work = Work(1)
        turns = turns_of_loop(work.turn, never)
        threading.Thread(target=turns.ask).start()
        until = time.monotonic() + 10
        while work.left and time.monotonic() < until:
            await asyncio.sleep(0.01)
        return work.left

    assert asyncio.run(run()) == 0


def test_the_loop_is_asked_again_after_a_turn_that_broke() -> None:
    async def run() -> list[str]:
        work = Work(2)

        def turn() -> bool:
            work.turn()
            if work.left:
                raise ValueError
            return False

        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)
        turns = turns_of_loop(turn, never)
        for _ in range(2):
            turns.ask()
            await idle()
        return work.noted

    assert asyncio.run(run()) == ["turn", "turn"]


def test_the_loop_hands_over_what_is_due_and_what_is_still_asked_of_it() -> None:
    async def run() -> list[str]:
        work = Work(2)

        def take_long() -> None:
            work.noted.append(threading.current_thread().name)
            time.sleep(0.02)

        work.on_turn = take_long
        successor = TurnsOfThread(work.turn)
        turns = turns_of_loop(work.turn, never)
        turns.ask()
        turns.hand_over(successor)
        await asyncio.to_thread(wait_for, lambda: work.left == 0, 10)
        for ask in (turns.ask, threading.Thread(target=turns.ask).start):
            work.left = 1
            ask()
            await asyncio.to_thread(wait_for, lambda: work.left == 0, 10)
        await asyncio.to_thread(successor.end)
        return work.noted

    assert asyncio.run(run()) == ["turn", "batcher"] * 4


def test_nothing_is_lost_when_the_batcher_leaves_the_loop() -> None:
    model, asked = Counted(0.0), 300

    async def run() -> list[Sequence[int]]:
        batcher: Batcher[int, int] = Batcher(model.predict, max_batch=4, queue_limit=1000)
        score_on_this_loop(batcher)

        def ask() -> list[Sequence[int]]:
            found = []
            for number in range(asked):
                batcher.reserve(1, math.inf)
                found.append(batcher.score([number], time.monotonic() + 10))
            return found

        others = [asyncio.create_task(asyncio.to_thread(ask)) for _ in range(3)]
        await asyncio.sleep(0.01)
        for _ in range(2):
            batcher.score_in_thread()
            batcher.reserve(1, math.inf)
            await asyncio.to_thread(batcher.score, [1], time.monotonic() + 10)
        found = [answer for other in others for answer in await other]
        await asyncio.to_thread(batcher.close)
        return found

    assert asyncio.run(run()) == [[2 * number] for number in range(asked)] * 3
    assert model.threads == {threading.main_thread().name, "batcher"}
    assert [each.name for each in threading.enumerate()].count("batcher") == 0


class Counted:
    """Doubles numbers, taking so long for each."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.batches: list[int] = []
        self.threads: set[str] = set()

    def predict(self, items: Sequence[int]) -> Sequence[int]:
        self.batches.append(len(items))
        self.threads.add(threading.current_thread().name)
        time.sleep(self.seconds * len(items))
        return [2 * item for item in items]


@pytest.mark.parametrize(
    ("seconds", "most"), [(LOOP_TURN_SECONDS / 3.5, 3), (1.2 * LOOP_TURN_SECONDS, 1), (0.0, 8)]
)
def test_a_batch_holds_the_loop_up_no_longer_than_a_turn(seconds: float, most: int) -> None:
    model = Counted(seconds)

    async def run() -> list[Sequence[int]]:
        batcher: Batcher[int, int] = Batcher(model.predict, max_batch=8, queue_limit=1000)
        score_on_this_loop(batcher)
        ended: list[int] = []
        tickets = []
        for number in range(25):
            batcher.reserve(1, math.inf, held=0)
            tickets.append(batcher.submit([number], math.inf, lambda: ended.append(1)))
        while len(ended) < len(tickets):
            await asyncio.sleep(0)
        assert batcher.is_alive
        return [ticket.result() for ticket in tickets]

    assert asyncio.run(run()) == [[2 * number] for number in range(25)]
    assert model.threads == {threading.main_thread().name}
    assert model.batches[0] == 1, "how long an item takes is not known yet"
    assert max(model.batches) <= most
    assert seconds or max(model.batches) == most


async def in_rounds(waiting: int, seconds: float) -> list[str]:
    """What happens, in its order: scores one item, delivers answers, looks at what has come."""
    noted: list[str] = []

    def predict(items: Sequence[int]) -> Sequence[int]:
        noted.append("score")
        time.sleep(seconds)
        return items

    batcher: Batcher[int, int] = Batcher(predict, max_batch=1, queue_limit=1000)
    batcher.score_on(asyncio.get_running_loop(), Deliveries(lambda: noted.append("deliver")))
    for number in range(waiting):
        batcher.reserve(1, math.inf)
        batcher.submit([number], math.inf, lambda: None)
    while noted.count("score") < waiting:
        noted.append("look")
        await asyncio.sleep(0)
    return noted


@pytest.fixture
def long_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is, nothing ends a round but that nothing waits."""
    monkeypatch.setattr("services.serving.batching.ROUND_SECONDS", 60.0)


@pytest.mark.usefixtures("long_round")
def test_a_batch_is_answered_at_once_without_a_look_at_what_has_come() -> None:
    noted = asyncio.run(in_rounds(3, 0.0))

    assert " ".join(noted).endswith("look score deliver score deliver score deliver")


@pytest.mark.usefixtures("long_round")
def test_where_much_waits_answers_wait() -> None:
    noted = asyncio.run(in_rounds(12, LONG_WAIT_SECONDS / 5))

    scored = " ".join(noted).split("look")[-1].split()
    assert scored.count("score") == 12
    assert "deliver" not in scored[:6], "eight of them are too much"
    assert scored.count("deliver") >= 1


def test_the_loop_looks_at_what_has_come_after_each_round() -> None:
    noted = asyncio.run(in_rounds(8, ROUND_SECONDS / 2.5))

    counts = [each.count("score") for each in " ".join(noted).split("look") if "score" in each]
    assert sum(counts) == 8
    assert max(counts) <= 2


def test_what_is_done_between_two_turns_counts_as_part_of_the_round() -> None:
    async def run() -> list[str]:
        work = Work(3)
        outbox = Deliveries(lambda: time.sleep(0.03))
        turns = TurnsOfLoop(work.turn, asyncio.get_running_loop(), outbox, never, 0.02)
        turns.ask()
        while work.left:
            await asyncio.sleep(0)
            work.noted.append("else")
        return work.noted

    assert "turn turn" not in " ".join(asyncio.run(run()))


def test_what_is_asked_between_two_turns_is_no_second_round() -> None:
    async def run() -> int:
        work, taken = Work(4), []
        turns = TurnsOfLoop(
            lambda: bool(taken.append(1)) or work.turn(),
            asyncio.get_running_loop(),
            Deliveries(lambda: work.left and turns.ask()),
            lambda: True,
            60.0,
        )
        turns.ask()
        await idle()
        return len(taken)

    assert asyncio.run(run()) == 4


def test_who_is_answered_at_the_end_of_a_round_may_ask_for_the_next_one() -> None:
    async def run() -> list[str]:
        work = Work(1)

        def ask_again() -> None:
            if len(work.noted) < 3:
                work.left = 1
                turns.ask()

        turns = TurnsOfLoop(work.turn, asyncio.get_running_loop(), Deliveries(ask_again), never)
        turns.ask()
        await idle()
        return work.noted

    assert asyncio.run(run()) == ["turn"] * 3


class NotedMailbox(Mailbox):
    """Knows how often it had the loop deliver it."""

    awakenings = 0

    def _awaken(self) -> None:
        self.awakenings += 1
        super()._awaken()


@pytest.mark.parametrize("can_wait", [False, True])
def test_no_answer_of_a_round_waits_for_the_loop(can_wait: bool) -> None:
    async def run() -> list[str]:
        loop, work = asyncio.get_running_loop(), Work(3)
        mailbox = NotedMailbox(loop)
        work.on_turn = lambda: mailbox.put(lambda: work.noted.append("answer"))
        TurnsOfLoop(work.turn, loop, mailbox, never, 60.0, lambda: can_wait).ask()
        await idle()
        assert mailbox.awakenings == 0
        return work.noted

    answers_last = ["turn"] * 3 + ["answer"] * 3
    assert asyncio.run(run()) == (answers_last if can_wait else ["turn", "answer"] * 3)


def test_answers_are_sent_even_where_a_turn_broke() -> None:
    async def run() -> list[str]:
        loop, done = asyncio.get_running_loop(), list[str]()
        loop.set_exception_handler(lambda *_: done.append("broke"))
        mailbox = Mailbox(loop)

        def turn() -> bool:
            mailbox.put(lambda: done.append("answered"))
            raise ValueError

        TurnsOfLoop(turn, loop, mailbox, never).ask()
        await idle()
        mailbox.put(lambda: done.append("later"))
        await idle()
        return done

    assert asyncio.run(run()) == ["answered", "broke", "later"]


def test_a_batcher_that_leaves_the_loop_between_two_turns_takes_no_more_there() -> None:
    async def run() -> list[str]:
        work = Work(3)
        work.on_turn = lambda: work.noted.append(threading.current_thread().name)
        successor = TurnsOfThread(work.turn)
        outbox = Deliveries(lambda: turns.hand_over(successor))
        turns = TurnsOfLoop(work.turn, asyncio.get_running_loop(), outbox, never, 60.0)
        turns.ask()
        await idle()
        await asyncio.to_thread(wait_for, lambda: work.left == 0, 10)
        await asyncio.to_thread(successor.end)
        return work.noted

    assert asyncio.run(run()) == ["turn", "MainThread", *["turn", "batcher"] * 2]


def test_a_turn_on_the_loop_does_not_prepare_for_longer_than_a_batch_may_take() -> None:
    model, prepared = Counted(0.0), []

    def prepare() -> Sequence[int]:
        time.sleep(LOOP_TURN_SECONDS)
        prepared.append(1)
        return [1]

    async def run() -> list[int]:
        batcher: Batcher[int, int] = Batcher(model.predict, max_batch=8, queue_limit=1000)
        score_on_this_loop(batcher)
        batcher._pace.seconds_per_item = 0.001
        ended: list[int] = []
        for _ in range(6):
            batcher.reserve(1, math.inf)
            batcher.submit_unprepared(prepare, math.inf, lambda: ended.append(1))
        steps: list[int] = []
        while len(ended) < 6:
            before = len(prepared)
            await asyncio.sleep(0)
            steps.append(len(prepared) - before)
        return steps

    steps = asyncio.run(run())
    assert sum(steps) == 6
    assert max(steps) <= 2
