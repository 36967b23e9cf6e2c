"""Requests wait in order, item by item, and none is scored for nobody."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from services.serving.request_queue import RequestQueue
from services.serving.ticket import Entry, Ticket

Queue = RequestQueue[str, str]


def itself(items: Sequence[str]) -> Sequence[str]:
    return items


def reversed_order(items: Sequence[str]) -> Sequence[str]:
    return items[::-1]


def ticket(*items: str, deadline: float = math.inf) -> Ticket[str, str]:
    return Ticket(items, deadline, itself, lambda: None)


def unprepared() -> Ticket[str, str]:
    later = ticket()
    later.prepare = lambda: ["made"]
    return later


@pytest.fixture
def queue() -> Queue:
    return RequestQueue()


def shown(entries: Sequence[Entry[str, str]]) -> str:
    return "".join(ticket.items[index] for ticket, index in entries)


def filled(queue: Queue, most_items: int) -> str:
    batch: list[Entry[str, str]] = []
    queue.fill(batch, most_items)
    return shown(batch)


def test_items_come_in_the_order_of_their_requests(queue: Queue) -> None:
    queue.append(ticket("a", "b"))
    queue.append(ticket("c"))
    assert len(queue) == 3
    assert (filled(queue, 2), filled(queue, 2), filled(queue, 2)) == ("ab", "c", "")


def test_who_has_waited_already_is_next_with_items_in_order(queue: Queue) -> None:
    queue.append(ticket("a"))
    queue.prepend(ticket("b", "c"))
    assert filled(queue, 3) == "bca"


def test_a_batch_is_of_one_model(queue: Queue) -> None:
    other = ticket("b")
    other.predict = reversed_order
    for each in (ticket("a"), other, ticket("c")):
        queue.append(each)
    assert (filled(queue, 3), filled(queue, 3), filled(queue, 3)) == ("a", "b", "c")


def test_a_batch_is_filled_up_to_a_request_that_must_be_prepared_first(queue: Queue) -> None:
    later = unprepared()
    queue.append(ticket("a"))
    queue.append_unprepared(later)
    queue.append(ticket("b"))
    batch: list[Entry[str, str]] = []
    assert queue.fill(batch, 9) is later
    assert shown(batch) == "a"
    later.prepare = None
    later.take(["made"])
    queue.prepend(later)
    assert queue.fill(batch, 9) is None
    assert [ticket.items[index] for ticket, index in batch] == ["a", "made", "b"]


def test_an_abandoned_request_leaves_at_once(queue: Queue) -> None:
    gone = ticket("a", "b")
    queue.append(gone)
    queue.append(ticket("c"))
    queue.abandon(gone)
    assert gone.is_dead
    assert filled(queue, 3) == "c"


def test_what_is_late_is_counted_once_and_not_whose_client_has_gone(queue: Queue) -> None:
    late, gone = ticket("a", "b", deadline=0), ticket("c")
    queue.append(late)
    queue.append(gone)
    queue.abandon(late)
    queue.abandon(gone)
    queue.pass_over(late)
    queue.pass_over(gone)
    assert (queue.take_dropped(), queue.take_dropped()) == (3, 0)
