"""What is counted late is counted once, in its order, and before anybody reads it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from itertools import chain

import pytest
from prometheus_client import Counter, exposition

from services.serving.late_counting import MOST_UNCOUNTED, Backlog, UpToDateRegistry


class Noted:
    """Keeps what a backlog has it count, call by call."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []

    def __call__(self, notes: Sequence[int]) -> None:
        self.calls.append(list(notes))


def test_many_are_counted_at_a_time() -> None:
    counted = Noted()
    backlog = Backlog(counted)

    for number in range(2 * MOST_UNCOUNTED + 1):
        backlog.add(number)
    assert [len(call) for call in counted.calls] == [MOST_UNCOUNTED, MOST_UNCOUNTED]

    backlog.count()
    backlog.count()
    assert counted.calls[2:] == [[2 * MOST_UNCOUNTED]], "there is nothing left the second time"
    assert list(chain(*counted.calls)) == list(range(2 * MOST_UNCOUNTED + 1))


@pytest.fixture
def hurried_threads() -> Iterator[None]:
    """Threads take turns after a microsecond, which shows what they do to each other."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("hurried_threads")
def test_none_is_lost_or_counted_twice_between_threads() -> None:
    counted = Noted()
    backlog = Backlog(counted)
    ended = threading.Event()

    def add(first: int) -> None:
        for number in range(first, first + 5_000):
            backlog.add(number)

    def count() -> None:
        while not ended.is_set():
            backlog.count()

    adding = [threading.Thread(target=add, args=(5_000 * each,)) for each in range(4)]
    counting = threading.Thread(target=count)
    for thread in (*adding, counting):
        thread.start()
    for thread in adding:
        thread.join()
    ended.set()
    counting.join()
    backlog.count()

    assert sorted(chain(*counted.calls)) == list(range(20_000))


def test_what_cannot_be_counted_fails_nobody_and_is_not_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(notes: Sequence[int]) -> None:
        raise ValueError(notes)

    backlog = Backlog(fail, most=2)
    for number in range(2):
        backlog.add(number)
    backlog.count()

    assert [record.getMessage() for record in caplog.records] == ["not counted"]


@pytest.fixture
def registry() -> UpToDateRegistry:
    """A registry of one counter, which nine are still to be counted in."""
    registry = UpToDateRegistry()
    asked = Counter("asked", "", registry=registry)
    Counter("other", "", registry=registry)
    backlog: Backlog[int] = Backlog(lambda notes: asked.inc(sum(notes)))
    registry.await_counting(backlog.count)
    backlog.add(4)
    backlog.add(5)
    return registry


def test_all_is_counted_before_it_is_read(registry: UpToDateRegistry) -> None:
    assert b"asked_total 9.0" in exposition.generate_latest(registry)
    assert b"asked_total 9.0" in exposition.generate_latest(registry), "and not again"


def test_all_is_counted_before_a_part_is_read(registry: UpToDateRegistry) -> None:
    part = registry.restricted_registry(["asked_total"])

    text = exposition.generate_latest(part)  # type: ignore[arg-type] - as its own server does
    assert b"asked_total 9.0" in text
    assert b"other" not in text
