"""The batcher: when it scores what, and whom it lets in."""

from __future__ import annotations

import gc
import math
import random
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.serving.batching import Batcher, BatchReport
from services.serving.problem import Problem

FOREVER = math.inf
WITHIN = 10.0


class StubbornModel:
    """Doubles numbers, but only when it is let; notes every batch.

    Negative numbers make it fail, zero makes it forget an output.
    """

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.seconds = 0.0
        self._open = threading.Event()
        self._open.set()
        self.began = threading.Semaphore(0)

    def predict(self, items: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(items))
        self.began.release()
        assert self._open.wait(WITHIN)
        time.sleep(self.seconds)
        if any(item < 0 for item in items):
            raise ValueError(f"cannot score {items}")
        return [2 * item for item in items if item]

    def hold(self) -> None:
        self._open.clear()
        self.began = threading.Semaphore(0)

    def let_go(self) -> None:
        self._open.set()

    def wait_until_busy(self) -> None:
        assert self.began.acquire(timeout=WITHIN)


@pytest.fixture
def model() -> StubbornModel:
    """A model under the test's control."""
    return StubbornModel()


MakeBatcher = Callable[..., Batcher[int, int]]


@pytest.fixture
def make(model: StubbornModel) -> Iterator[MakeBatcher]:
    """Batchers in front of that model, ended after the test."""
    made: list[Batcher[int, int]] = []

    def make(**options: object) -> Batcher[int, int]:
        options = {"max_batch": 4, "queue_limit": 8, **options}
        made.append(Batcher(model.predict, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    model.let_go()
    for batcher in made:
        batcher.close()


@pytest.fixture
def pool(model: StubbornModel) -> Iterator[ThreadPoolExecutor]:
    """Threads for the requests."""
    with ThreadPoolExecutor(32) as threads:
        yield threads
        model.let_go()


def ask(batcher: Batcher[int, int], *items: int, seconds: float = WITHIN) -> Sequence[int]:
    """One request, as the service makes it."""
    deadline = time.monotonic() + seconds
    with batcher.admit(deadline) as admission:
        return admission.score(items)


def refused(batcher: Batcher[int, int], *items: int, seconds: float = WITHIN) -> Problem:
    with pytest.raises(Problem) as raised:
        ask(batcher, *items, seconds=seconds)
    return raised.value


def queue_behind(
    batcher: Batcher[int, int],
    model: StubbornModel,
    pool: ThreadPoolExecutor,
    requests: Sequence[Sequence[int]],
    seconds: float = WITHIN,
) -> list[Future[Sequence[int]]]:
    """Keep the model busy with item 1 while ``requests`` queue in this order."""
    model.hold()
    futures = [pool.submit(ask, batcher, 1)]
    model.wait_until_busy()
    for request in requests:
        depth = batcher.depth
        futures.append(pool.submit(ask, batcher, *request, seconds=seconds))
        wait_for(lambda depth=depth, request=request: batcher.depth >= depth + len(request))
        wait_for(
            lambda futures=futures: queued(batcher) >= sum(map(len, requests[: len(futures) - 1]))
        )
    return futures


def queued(batcher: Batcher[int, int]) -> int:
    return len(batcher._queue)


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + WITHIN
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.001)


def test_an_item_that_is_alone_is_scored_without_waiting_for_company(
    make: MakeBatcher, model: StubbornModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeouts: list[float | None] = []
    wait = threading.Condition.wait

    def noted(condition: threading.Condition, timeout: float | None = None) -> bool:
        if threading.current_thread().name == "batcher":
            timeouts.append(timeout)
        return wait(condition, timeout)

    monkeypatch.setattr(threading.Condition, "wait", noted)
    batcher = make()
    for number in range(1, 21):
        assert ask(batcher, number) == [2 * number]

    assert model.batches == [[number] for number in range(1, 21)]
    assert set(timeouts) == {None}, "the batcher waits for items, never for time"


def test_what_queued_while_the_model_was_busy_is_scored_together(
    make: MakeBatcher, model: StubbornModel, pool: ThreadPoolExecutor
) -> None:
    futures = queue_behind(make(), model, pool, [[2], [3], [4]])
    model.let_go()

    assert [future.result(WITHIN) for future in futures] == [[2], [4], [6], [8]]
    assert model.batches == [[1], [2, 3, 4]]


def test_no_batch_is_larger_than_the_largest_and_the_order_is_kept(
    make: MakeBatcher, model: StubbornModel, pool: ThreadPoolExecutor
) -> None:
    requests = [[number] for number in range(2, 9)]
    futures = queue_behind(make(max_batch=3), model, pool, requests)
    model.let_go()

    assert [future.result(WITHIN) for future in futures[1:]] == [[2 * n] for [n] in requests]
    assert model.batches == [[1], [2, 3, 4], [5, 6, 7], [8]]


def test_one_bad_item_fails_alone(
    make: MakeBatcher, model: StubbornModel, pool: ThreadPoolExecutor
) -> None:
    futures = queue_behind(make(), model, pool, [[2], [-3], [4]])
    model.let_go()

    assert futures[1].result(WITHIN) == [4]
    assert futures[3].result(WITHIN) == [8]
    with pytest.raises(ValueError, match="cannot score"):
        futures[2].result(WITHIN)


def test_a_wrong_number_of_outputs_is_nobody_else_s_answer(
    make: MakeBatcher, model: StubbornModel, pool: ThreadPoolExecutor
) -> None:
    futures = queue_behind(make(), model, pool, [[2], [0], [4]])
    model.let_go()

    assert futures[1].result(WITHIN) == [4]
    assert futures[3].result(WITHIN) == [8]
    with pytest.raises(RuntimeError, match="another number of outputs"):
        futures[2].result(WITHIN)


def test_a_request_with_one_bad_item_among_several_fails_once(
    make: MakeBatcher, model: StubbornModel
) -> None:
    batcher = make()

    with pytest.raises(ValueError, match="cannot score"):
        ask(batcher, 2, -3, 4, -5)
    assert ask(batcher, 6) == [12]
    assert batcher.depth == 0


def test_a_problem_of_the_model_reaches_the_client_as_it_is() -> None:
    problem = Problem(422, "not an image")

    def predict(_: Sequence[int]) -> Sequence[int]:
        raise problem

    batcher: Batcher[int, int] = Batcher(predict, max_batch=1, queue_limit=1)

    assert refused(batcher, 1) is problem
    batcher.close()


def test_an_item_past_its_deadline_gets_504_and_is_not_scored(
    make: MakeBatcher, model: StubbornModel, pool: ThreadPoolExecutor
) -> None:
    batcher = make()
    futures = queue_behind(batcher, model, pool, [[2]], seconds=0.5)
    with pytest.raises(Problem) as raised:
        futures[1].result(WITHIN)
    model.let_go()
    futures[0].result(WITHIN)

    assert raised.value.status == 504
    assert ask(batcher, 3) == [6]
    assert model.batches == [[1], [3]]


def test_items_that_nobody_waits_for_are_let_go_even_while_the_model_hangs(
    make: MakeBatcher, model: StubbornModel, pool: ThreadPoolExecutor
) -> None:
    class Picture:
        """Something that takes memory."""

    batcher = make()
    model.hold()
    pool.submit(ask, batcher, 1)
    model.wait_until_busy()
    picture = Picture()
    reference = weakref.ref(picture)
    assert refused(batcher, picture, seconds=0.05).status == 504  # type: ignore[arg-type]
    del picture
    gc.collect()

    assert queued(batcher) == 0
    assert reference() is None


def test_a_full_house_refuses_with_503_and_the_time_to_come_back(
    make: MakeBatcher, model: StubbornModel, pool: ThreadPoolExecutor
) -> None:
    batcher = make(queue_limit=3)
    futures = queue_behind(batcher, model, pool, [[2], [3]])

    assert batcher.is_full
    problem = refused(batcher, 4)
    assert problem.status == 503
    assert int(problem.headers["Retry-After"]) >= 1
    assert problem.reason == "capacity"
    model.let_go()
    assert [future.result(WITHIN) for future in futures] == [[2], [4], [6]]
    assert not batcher.is_full
    assert ask(batcher, 4) == [8]


def test_who_would_wait_too_long_is_refused_at_once(
    make: MakeBatcher, model: StubbornModel, pool: ThreadPoolExecutor
) -> None:
    batcher = make(patience_seconds=0.5)
    model.seconds = 0.2
    ask(batcher, 1)
    futures = queue_behind(batcher, model, pool, [[2]])

    assert refused(batcher, 3, seconds=0.3).status == 503, "past its deadline it would be 504"
    assert model.batches == [[1], [1]], "the model is still busy"
    assert batcher.is_full
    model.let_go()
    assert [future.result(WITHIN) for future in futures] == [[2], [4]]


def test_a_wait_that_would_just_do_is_not_promised(
    make: MakeBatcher, model: StubbornModel, pool: ThreadPoolExecutor
) -> None:
    batcher = make()
    model.seconds = 0.5
    began = time.monotonic()
    ask(batcher, 1)
    took = time.monotonic() - began
    model.seconds = 0.0
    future = queue_behind(batcher, model, pool, [])[0]

    assert refused(batcher, 2, seconds=1.04 * 2 * took).reason == "capacity"
    batcher.admit(time.monotonic() + 2 * 2 * took).release()
    model.let_go()
    assert future.result(WITHIN) == [2]


@pytest.mark.parametrize("is_someone_there", [True, False])
def test_what_passes_between_two_batches_counts_where_someone_waits(
    is_someone_there: bool, make: MakeBatcher
) -> None:
    batcher = make()
    with batcher.admit(math.inf) as first:
        first.score([1])
        if not is_someone_there:
            first.release()
        time.sleep(0.5)
        ask(batcher, 2)
        before = batcher.expected_wait_seconds / (1 + is_someone_there)
        ask(batcher, 3)

    assert (before > 0.08) == is_someone_there
    assert batcher.expected_wait_seconds < max(before, 0.08), "what passed before counts once"


def test_an_idle_service_accepts_however_slow_it_was(
    make: MakeBatcher, model: StubbornModel
) -> None:
    batcher = make(patience_seconds=0.01)
    model.seconds = 0.3
    ask(batcher, 1)
    model.seconds = 0.0

    assert not batcher.is_full
    assert ask(batcher, 2, seconds=0.2) == [4]


def test_a_request_that_is_alone_may_be_larger_than_the_house(
    make: MakeBatcher, model: StubbornModel, pool: ThreadPoolExecutor
) -> None:
    batcher = make(queue_limit=3)
    items = list(range(1, 11))

    assert ask(batcher, *items) == [2 * item for item in items]
    assert max(map(len, model.batches)) == 4

    futures = queue_behind(batcher, model, pool, [])
    assert refused(batcher, *items).status == 503
    model.let_go()
    assert futures[0].result(WITHIN) == [2]
    assert batcher.depth == 0


def test_the_items_of_one_request_may_go_into_several_batches(
    make: MakeBatcher, model: StubbornModel, pool: ThreadPoolExecutor
) -> None:
    futures = queue_behind(make(max_batch=2), model, pool, [[2, 3, 4], [5]])
    model.let_go()

    assert futures[1].result(WITHIN) == [4, 6, 8]
    assert futures[2].result(WITHIN) == [10]
    assert model.batches == [[1], [2, 3], [4, 5]]


def test_a_request_without_items_gets_no_outputs(make: MakeBatcher, model: StubbornModel) -> None:
    batcher = make()

    assert ask(batcher) == []
    assert batcher.depth == 0
    assert model.batches == []


def test_a_request_that_fails_before_scoring_gives_its_place_back(make: MakeBatcher) -> None:
    batcher = make()

    def fail() -> None:
        with batcher.admit(time.monotonic() + WITHIN):
            assert batcher.depth == 1
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert batcher.depth == 0


def test_closing_scores_what_is_queued(
    make: MakeBatcher, model: StubbornModel, pool: ThreadPoolExecutor
) -> None:
    batcher = make(max_batch=1)
    futures = queue_behind(batcher, model, pool, [[2], [3], [4]])
    closing = pool.submit(batcher.close)
    model.let_go()

    assert [future.result(WITHIN) for future in futures] == [[2], [4], [6], [8]]
    closing.result(WITHIN)
    assert not batcher.is_alive


def test_how_long_a_batch_has_been_running_is_known(
    make: MakeBatcher, model: StubbornModel, pool: ThreadPoolExecutor
) -> None:
    batcher = make()
    assert batcher.busy_seconds() == 0
    futures = queue_behind(batcher, model, pool, [])
    time.sleep(0.05)

    assert batcher.busy_seconds() >= 0.05
    assert batcher.is_alive
    model.let_go()
    futures[0].result(WITHIN)
    wait_for(lambda: batcher.busy_seconds() == 0)


def test_every_batch_is_reported_with_its_times(
    make: MakeBatcher, model: StubbornModel, pool: ThreadPoolExecutor
) -> None:
    reports: list[BatchReport] = []
    batcher = make(observe=reports.append)
    futures = queue_behind(batcher, model, pool, [[2], [3]])
    time.sleep(0.05)
    model.let_go()
    for future in futures:
        future.result(WITHIN)
    wait_for(lambda: len(reports) == 2)

    assert [report.size for report in reports] == [1, 2]
    assert reports[0].inference_seconds >= 0.05
    assert all(wait >= 0.05 for wait in reports[1].queue_seconds)
    assert [report.dropped for report in reports] == [0, 0]


def test_a_caller_without_a_deadline_waits_as_long_as_it_takes(make: MakeBatcher) -> None:
    with make().admit(FOREVER) as admission:
        assert admission.score([1, 2]) == [2, 4]


@settings(max_examples=30)
@given(
    requests=st.lists(st.lists(st.integers(-3, 50), max_size=6), min_size=1, max_size=40),
    max_batch=st.integers(1, 9),
)
def test_every_request_gets_its_own_answer_or_its_own_failure(
    requests: list[list[int]], max_batch: int
) -> None:
    model = StubbornModel()
    batcher: Batcher[int, int] = Batcher(model.predict, max_batch=max_batch, queue_limit=1000)
    with ThreadPoolExecutor(16) as pool:
        futures = [pool.submit(ask, batcher, *request) for request in requests]
        for request, future in zip(requests, futures, strict=True):
            if all(item > 0 for item in request):
                assert future.result(WITHIN) == [2 * item for item in request]
            else:
                with pytest.raises((ValueError, RuntimeError)):
                    future.result(WITHIN)
    batcher.close()

    assert batcher.depth == 0
    assert max(map(len, model.batches), default=0) <= max_batch


def test_under_stress_every_admitted_request_gets_its_own_answer(make: MakeBatcher) -> None:
    batcher = make(max_batch=8, queue_limit=20, patience_seconds=0.02)
    outcomes: dict[str, int] = {"answered": 0, "refused": 0, "late": 0}
    lock = threading.Lock()

    def client(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(150):
            items = [chance.randrange(1, 10**6) for _ in range(chance.randrange(1, 5))]
            try:
                outputs = ask(batcher, *items, seconds=chance.choice([0.0005, 0.02, 5]))
                outcome = "answered"
                assert outputs == [2 * item for item in items]
            except Problem as problem:
                outcome = {503: "refused", 504: "late"}[problem.status]
            with lock:
                outcomes[outcome] += 1

    with ThreadPoolExecutor(24) as threads:
        for done in [threads.submit(client, seed) for seed in range(24)]:
            done.result(60)

    assert outcomes["answered"] > 100
    assert outcomes["refused"] > 0
    assert sum(outcomes.values()) == 24 * 150
    assert batcher.depth == 0
    assert queued(batcher) == 0
