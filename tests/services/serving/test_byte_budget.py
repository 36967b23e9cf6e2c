"""The bytes of requests are bounded, beside their number."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.serving.byte_budget import ByteBudget
from services.serving.problem import Problem
from tests.services.serving.live_service import JSON, LiveService, head, pull, service

LIMIT = 5000


def test_what_does_not_fit_is_refused_with_a_time_to_come_back() -> None:
    budget = ByteBudget(100, lambda: 2.5)
    with budget.hold(60), pytest.raises(Problem) as raised, budget.hold(41):
        pass

    assert raised.value.status == 503
    assert raised.value.reason == "capacity"
    assert raised.value.headers == {"Retry-After": "3", "Connection": "close"}


def test_what_is_alone_is_let_in_whatever_it_brings() -> None:
    budget = ByteBudget(100)
    with budget.hold(1000):
        assert budget.held == 1000


def test_what_was_given_back_is_not_taken_again_by_a_thread_that_still_prepares() -> None:
    budget = ByteBudget(100)
    with budget.hold(100) as held:
        held.shrink_to(0)
        held.shrink_to(40)
        assert budget.held == 0
    assert budget.held == 0


def test_what_turns_out_smaller_leaves_room() -> None:
    budget = ByteBudget(100)
    with budget.hold(100) as held:
        held.shrink_to(10)
        with budget.hold(90):
            assert budget.held == 100


def test_a_request_that_fails_gives_its_bytes_back() -> None:
    budget = ByteBudget(100)

    def fail() -> None:
        with budget.hold(60) as held:
            held.shrink_to(50)
            raise ValueError

    with pytest.raises(ValueError):
        fail()

    assert budget.held == 0


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=20))
def test_no_sequence_of_requests_goes_over_the_limit_or_leaves_a_rest(
    requests: list[tuple[int, int]],
) -> None:
    budget = ByteBudget(100)
    with ExitStack() as house:
        for most, really in requests:
            try:
                held = house.enter_context(budget.hold(most))
            except Problem:
                assert budget.held + most > 100
            else:
                held.shrink_to(min(most, really))
            assert 0 <= budget.held <= 100
    assert budget.held == 0


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """A service whose requests may bring 5,000 bytes together."""
    options = ("--max-batch", 1, "--queue-bytes", LIMIT, "--max-body-bytes", 10 * LIMIT)
    with service(tmp_path_factory.mktemp("small"), *options) as live:
        yield live


def held(live: LiveService) -> float:
    return live.metric("modelsvc_queue_bytes")


@pytest.fixture
def busy(small: LiveService) -> Iterator[LiveService]:
    """That service while its model works on a request of 4,000 bytes."""
    request = threading.Thread(target=small.pull, args=("sleep:1.5", "x" * 4000))
    request.start()
    small.wait_until_queued(2)
    yield small
    request.join()


def test_large_bodies_are_refused_while_small_ones_still_pass(busy: LiveService) -> None:
    large = busy.pull("x" * 1500)

    assert large.status == 503
    assert int(large.headers["retry-after"]) >= 1
    assert held(busy) == len(pull("sleep:1.5", "x" * 4000))
    assert busy.pull("x" * 100).status == 200


def test_a_body_of_unknown_size_counts_as_the_largest(busy: LiveService) -> None:
    body = pull("x")
    chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    with busy.wire() as wire:
        wire.send(head("POST", "/v1/pull", {**JSON, "Transfer-Encoding": "chunked"}) + chunk)
        answer = wire.read("POST")

    assert answer.status == 503


def test_a_body_over_its_own_limit_is_413_not_503(busy: LiveService) -> None:
    assert busy.pull("x" * (11 * LIMIT)).status == 413


def test_nothing_stays_counted(small: LiveService) -> None:
    assert small.pull("x" * 8000).status == 200
    assert small.request("POST", "/v1/pull", b"{", JSON).status == 400
    until = time.monotonic() + 5
    while held(small) and time.monotonic() < until:
        time.sleep(0.02)
    assert held(small) == 0
