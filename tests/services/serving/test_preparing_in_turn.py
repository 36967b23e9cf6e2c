"""Requests whose items are made only when their turn has come, by who scores them."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from services.serving.admission import Admission
from services.serving.batching import Batcher, BatchReport
from services.serving.problem import Problem
from services.serving.ticket import Ticket
from tests.waiting import wait_for

WITHIN = 10.0
LIMIT = 6


class Doubling:
    """Doubles numbers in batches of up to four, and notes them; number 0 waits until it is let go."""

    def __init__(self) -> None:
        self.batches: list[Sequence[int]] = []
        self.reports: list[BatchReport] = []
        self.is_held = threading.Event()
        self.let_go = threading.Event()
        self.batcher: Batcher[int, int] = Batcher(
            self._predict, max_batch=4, queue_limit=LIMIT, observe=self.reports.append
        )

    def _predict(self, items: Sequence[int]) -> Sequence[int]:
        self.batches.append(items)
        if 0 in items:
            self.is_held.set()
            assert self.let_go.wait(WITHIN)
        return [2 * item for item in items]

    def hold(self) -> Request:
        """A request that keeps the model busy."""
        held = Request(self.batcher, lambda: [0])
        assert self.is_held.wait(WITHIN)
        return held


class Request:
    """One request whose items ``prepare`` makes."""

    def __init__(
        self,
        batcher: Batcher[int, int],
        prepare: Callable[[], Sequence[int]],
        *,
        seconds: float = math.inf,
    ) -> None:
        self._ended = threading.Event()
        self._batcher = batcher
        self.admission: Admission[int, int] = batcher.admit(time.monotonic() + seconds)
        self.ticket: Ticket[int, int] = self.admission.submit_unprepared(prepare, self._ended.set)

    def result(self) -> Sequence[int]:
        assert self._ended.wait(WITHIN)
        try:
            return self.ticket.result()
        finally:
            self.admission.release()

    def give_up(self) -> None:
        self._batcher.abandon(self.ticket)
        self.admission.release()


@pytest.fixture
def model() -> Iterator[Doubling]:
    """A model under the test's control."""
    made = Doubling()
    yield made
    made.let_go.set()
    made.batcher.close()
    assert made.batcher.depth == 0, "every place was given back"


def failing() -> Sequence[int]:
    raise Problem(422, "This is no picture.")


def test_nothing_is_prepared_before_its_turn_and_then_by_the_thread_that_scores(
    model: Doubling,
) -> None:
    threads: list[str] = []

    def prepare() -> Sequence[int]:
        threads.append(threading.current_thread().name)
        return [7]

    held = model.hold()
    waiting = [Request(model.batcher, prepare) for _ in range(3)]
    assert threads == []
    model.let_go.set()

    assert held.result() == [0]
    assert [each.result() for each in waiting] == [[14]] * 3
    assert threads == ["batcher"] * 3
    assert model.batches == [[0], [7, 7, 7]], "those that wait together are scored together"


def test_a_request_of_more_items_than_a_batch_takes_is_scored_in_several_of_them(
    model: Doubling,
) -> None:
    held = model.hold()
    several = Request(model.batcher, lambda: [1, 2, 3, 4, 5])
    model.let_go.set()
    held.result()

    assert several.result() == [2, 4, 6, 8, 10]
    assert model.batches == [[0], [1, 2, 3, 4], [5]]


def test_what_preparing_raises_is_that_requests_answer_and_no_others(model: Doubling) -> None:
    held = model.hold()
    bad, good = Request(model.batcher, failing), Request(model.batcher, lambda: [4])
    model.let_go.set()
    held.result()

    with pytest.raises(Problem, match="no picture"):
        bad.result()
    assert good.result() == [8]


def test_what_could_not_be_prepared_in_its_turn_is_next_once_it_was_prepared_elsewhere(
    model: Doubling,
) -> None:
    held = model.hold()
    long = Request(model.batcher, failing)
    model.let_go.set()
    held.result()
    wait_for(lambda: long.ticket.failure is not None, WITHIN)

    model.is_held.clear()
    model.let_go.clear()
    held = model.hold()
    waiting = [Request(model.batcher, lambda: [1]) for _ in range(2)]
    ended = threading.Event()
    ticket = long.admission.submit([2, 3], ended.set)
    model.let_go.set()
    assert ended.wait(WITHIN)
    assert ticket.result() == [4, 6]
    assert model.batches[2] == [2, 3, 1, 1], "in front of those who wait"
    long.admission.release()
    for each in [held, *waiting]:
        each.result()


def test_one_that_cannot_be_prepared_ends_the_turn_so_that_no_stream_of_them_holds_one_up(
    model: Doubling,
) -> None:
    held = model.hold()
    prepares = [lambda: [1], failing, lambda: [2], lambda: [3]]
    requests = [Request(model.batcher, prepare) for prepare in prepares]
    model.let_go.set()
    held.result()

    assert requests[0].result() == [2]
    assert requests[2].result() == [4]
    assert requests[3].result() == [6]
    with pytest.raises(Problem):
        requests[1].result()
    assert model.batches == [[0], [1], [2, 3]]


def test_a_stream_of_requests_that_cannot_be_prepared_is_not_taken_for_a_batch_without_end(
    model: Doubling,
) -> None:
    busy: list[float] = []

    def fail() -> Sequence[int]:
        busy.append(model.batcher.busy_seconds())
        time.sleep(0.05)
        return failing()

    held = model.hold()
    requests = [Request(model.batcher, fail) for _ in range(LIMIT - 1)]
    model.let_go.set()
    held.result()
    for request in requests:
        with pytest.raises(Problem):
            request.result()

    assert max(busy) < 0.04


def test_a_request_whose_turn_has_come_is_not_refused_for_those_behind_it(model: Doubling) -> None:
    def slow() -> Sequence[int]:
        time.sleep(0.3)
        return [1]

    Request(model.batcher, slow).result()
    assert 0.3 < model.batcher.expected_wait_seconds < 0.5
    held = model.hold()
    several = Request(model.batcher, lambda: [1, 2], seconds=1.4)
    behind = [Request(model.batcher, lambda: [3]) for _ in range(LIMIT - 3)]
    model.let_go.set()

    held.result()
    assert several.result() == [2, 4]
    assert [each.result() for each in behind] == [[6]] * len(behind)


def test_a_request_without_items_has_no_outputs(model: Doubling) -> None:
    assert Request(model.batcher, list).result() == []
    assert model.batches == []


def test_one_that_was_given_up_is_not_prepared_and_does_not_count_as_late(model: Doubling) -> None:
    prepared: list[int] = []

    def prepare() -> Sequence[int]:
        prepared.append(1)
        return [1]

    held = model.hold()
    Request(model.batcher, prepare).give_up()
    after = Request(model.batcher, lambda: [2])
    model.let_go.set()
    held.result()

    assert after.result() == [4]
    assert prepared == []
    assert sum(report.dropped for report in model.reports) == 0


def test_one_whose_time_is_over_is_not_prepared(model: Doubling) -> None:
    prepared: list[int] = []
    held = model.hold()
    late = Request(model.batcher, lambda: prepared.append(1) or [1])
    late.ticket.deadline = time.monotonic()
    model.let_go.set()

    assert held.result() == [0]
    assert Request(model.batcher, lambda: [2]).result() == [4]
    assert prepared == []
    assert sum(report.dropped for report in model.reports) == 1
    late.give_up()


def test_one_that_is_given_up_while_it_is_prepared_is_not_scored_and_keeps_no_place(
    model: Doubling,
) -> None:
    requests: list[Request] = []
    is_made = threading.Event()

    def prepare() -> Sequence[int]:
        assert is_made.wait(WITHIN)
        requests[0].give_up()
        return [1, 2, 3]

    requests.append(Request(model.batcher, prepare))
    is_made.set()

    assert Request(model.batcher, lambda: [2]).result() == [4]
    assert model.batches == [[2]]
    assert model.batcher.depth == 0


def test_items_for_which_there_are_no_places_are_refused(model: Doubling) -> None:
    held = model.hold()
    several = Request(model.batcher, lambda: [1] * LIMIT)
    model.let_go.set()

    with pytest.raises(Problem) as raised:
        several.result()
    assert raised.value.status == 503
    assert held.result() == [0]


def test_the_wait_for_the_model_leaves_out_what_preparing_took(model: Doubling) -> None:
    pause = threading.Event()

    def prepare() -> Sequence[int]:
        pause.wait(0.3)
        return [1]

    Request(model.batcher, prepare).result()
    Request(model.batcher, lambda: [1]).result()

    assert model.reports[0].queue_seconds[0] < 0.2
    assert model.reports[0].inference_seconds < 0.2
