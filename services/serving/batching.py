"""A work-conserving batcher with admission control.

One batch is scored at a time. The moment the model is idle it takes what is queued, up to
``max_batch`` items, and never waits for more: at low load an item is scored alone at once, under
load batches grow by themselves. (Triton's dynamic batcher with no queue delay and TensorFlow
Serving's advice for CPUs are the same rule.)

Admission is bounded twice: by the number of items in the house (``queue_limit``), and by the
predicted wait, which must not exceed the request's deadline. Either way the client is told at
once, with the time after which a retry makes sense.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, cast

from services.serving.model import Item, Output
from services.serving.problem import Problem
from services.serving.turns import Turns, TurnsOfLoop, TurnsOfThread

Predict = Callable[[Sequence[Item]], Sequence[Output]]

SMOOTHING = 0.2
"""Weight of the newest batch in the moving average of the seconds per item."""
CAUTION = 1.1
"""How much longer than the average says a wait is taken to be: who is admitted and then too late has
cost the model its time for nothing, while for who is refused another comes."""
LOOP_TURN_SECONDS = 0.05
"""About how long a batch may hold up the event loop, where that scores it: refusals wait for it, too."""


@dataclass(frozen=True)
class BatchReport:
    """One batch as metrics see it; times in seconds."""

    size: int
    inference_seconds: float
    queue_seconds: Sequence[float]
    dropped: int


class Ticket(Generic[Item, Output]):
    """One request's items on their way through the batcher; see :meth:`Batcher.submit`."""

    def __init__(
        self,
        items: Sequence[Item],
        deadline: float,
        predict: Predict[Item, Output],
        on_end: Callable[[], None],
    ) -> None:
        self.items = items
        self.deadline = deadline
        self.predict = predict
        self.queued_at = time.monotonic()
        self.outputs: list[Output | None] = [None] * len(items)
        self.missing = len(items)
        self.failure: Exception | None = None
        self.abandoned = False
        self.on_end = on_end

    def result(self) -> Sequence[Output]:
        """The outputs, once ``on_end`` was called; raises what the model raised."""
        if self.failure is not None:
            raise self.failure
        return cast("Sequence[Output]", self.outputs)


class Batcher(Generic[Item, Output]):
    """Scores items of many requests in batches, in a thread of its own or on the event loop.

    Args:
        predict: scores a batch; returns one output per item. A request can name another one, such
            as that of an earlier version of the model; no batch is shared by two.
        max_batch: most items per batch.
        queue_limit: most items admitted at once, those being scored included.
        patience_seconds: the longest wait that any request would accept.
        observe: called after each batch.
    """

    def __init__(
        self,
        predict: Predict[Item, Output],
        *,
        max_batch: int,
        queue_limit: int,
        patience_seconds: float = math.inf,
        observe: Callable[[BatchReport], None] = lambda _report: None,
    ) -> None:
        self._predict = predict
        self._patience_seconds = patience_seconds
        self._max_batch = max_batch
        self._queue_limit = queue_limit
        self._observe = observe
        self._lock = threading.Lock()
        self._queue: deque[tuple[Ticket[Item, Output], int]] = deque()
        self._admitted = 0
        self._abandoned = 0
        self._seconds_per_item = 0.0
        self._batch_started: float | None = None
        self._waiting_since = 0.0
        self._longest_turn_seconds = math.inf
        self._turns: Turns = TurnsOfThread(self._take_turn)

    def score_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Score on the event loop from now on; called there, before anything is submitted."""
        self._turns.end()
        self._longest_turn_seconds = LOOP_TURN_SECONDS
        self._turns = TurnsOfLoop(self._take_turn, loop, self._fills_a_batch)

    @property
    def is_full(self) -> bool:
        """Whether the next request would be refused; cheap enough to ask before anything else."""
        admitted = self._admitted
        return admitted >= self._queue_limit or (
            admitted > 0 and self._predicted_wait(admitted + 1) > self._patience_seconds
        )

    @property
    def depth(self) -> int:
        """Items admitted and not yet answered: what an autoscaler should follow."""
        return self._admitted

    @property
    def expected_wait_seconds(self) -> float:
        """Predicted seconds until an item admitted now is scored."""
        return self._predicted_wait(self._admitted + 1)

    def busy_seconds(self) -> float:
        """How long the present batch has been running; 0 when the model is idle."""
        started = self._batch_started
        return time.monotonic() - started if started is not None else 0.0

    @property
    def is_alive(self) -> bool:
        """Whether what is queued will be scored."""
        return self._turns.are_taken

    def admit(self, deadline: float) -> Admission[Item, Output]:
        """Reserve one place before any work is put into the request, decoding included.

        It is given back by :meth:`Admission.release`, or at the end of a ``with`` block.

        Raises:
            Problem: 503 with Retry-After, if the house is full or the wait would be too long.
        """
        admission = Admission(self, deadline)
        admission.reserve(1)
        return admission

    def close(self) -> None:
        """Score what is queued, and then no more."""
        self._turns.end()

    def reserve(self, places: int, deadline: float, *, held: int = 0) -> None:
        """Take ``places`` places beside the ``held`` ones, or refuse; see :meth:`admit`.

        A request that is alone in the house is never refused: it may need more places than there
        are, or more time than predicted, and would be refused for ever.
        """
        with self._lock:
            wait = self._predicted_wait(self._admitted + places)
            alone = self._admitted == held
            if not alone and self._admitted + places > self._queue_limit:
                raise at_capacity(wait)
            if not alone and time.monotonic() + wait > deadline:
                raise at_capacity(wait)
            if not self._admitted:
                self._waiting_since = time.monotonic()
            self._admitted += places

    def release(self, places: int) -> None:
        """Give places back."""
        with self._lock:
            self._admitted -= places

    def score(
        self,
        items: Sequence[Item],
        deadline: float,
        predict: Predict[Item, Output] | None = None,
    ) -> Sequence[Output]:
        """Queue ``items`` and wait for their outputs, for which places must be reserved.

        Raises:
            Problem: 504 past the deadline.
        """
        done = threading.Lock()
        done.acquire()
        ticket = self.submit(items, deadline, done.release, predict)
        seconds = min(max(0.0, deadline - time.monotonic()), threading.TIMEOUT_MAX)
        if not done.acquire(timeout=seconds):
            self.abandon(ticket)
            raise past_deadline()
        return ticket.result()

    def submit(
        self,
        items: Sequence[Item],
        deadline: float,
        on_end: Callable[[], None],
        predict: Predict[Item, Output] | None = None,
    ) -> Ticket[Item, Output]:
        """Queue ``items``, for which places must be reserved, and return at once.

        ``on_end`` is called once they are scored or have failed, mostly in the midst of a batch. A
        ticket whose deadline is over before its turn comes is passed over, and ``on_end`` not called.
        """
        ticket: Ticket[Item, Output] = Ticket(items, deadline, predict or self._predict, on_end)
        if not items:
            on_end()
            return ticket
        with self._lock:
            self._queue.extend((ticket, index) for index in range(len(items)))
        self._turns.ask()
        return ticket

    def abandon(self, ticket: Ticket[Item, Output]) -> None:
        """Let go of the items at once: nobody waits for them, and behind a stuck model they pile up."""
        with self._lock:
            ticket.abandoned = True
            queued = len(self._queue)
            self._queue = deque(entry for entry in self._queue if entry[0] is not ticket)
            self._abandoned += queued - len(self._queue)

    def _predicted_wait(self, items: int) -> float:
        return CAUTION * self._seconds_per_item * items

    def _take_turn(self) -> bool:
        batch = self._next_batch()
        if not batch:
            return False
        started = self._batch_started = time.monotonic()
        live = [entry for entry in batch if not self._is_dead(entry[0])]
        if live:
            self._score_batch(live)
        ended = time.monotonic()
        self._batch_started = None
        if live:
            # Not the batch's time alone: what others had to wait for between two batches, such as their
            # preparation, is part of what an item takes.
            self._learn((ended - self._waiting_since) / len(live))
        self._waiting_since = ended
        waits = [started - ticket.queued_at for ticket, _ in live]
        dropped = len(batch) - len(live) + self._take_abandoned()
        self._observe(BatchReport(len(live), ended - started, waits, dropped))
        return bool(self._queue)

    def _take_abandoned(self) -> int:
        with self._lock:
            abandoned, self._abandoned = self._abandoned, 0
            return abandoned

    def _next_batch(self) -> list[tuple[Ticket[Item, Output], int]]:
        with self._lock:
            queue, most = self._queue, self._most_items()
            batch = [queue.popleft()] if queue else []
            while queue and len(batch) < most and queue[0][0].predict == batch[0][0].predict:
                batch.append(queue.popleft())
            return batch

    def _fills_a_batch(self) -> bool:
        return len(self._queue) >= self._most_items()

    def _most_items(self) -> int:
        if math.isinf(self._longest_turn_seconds):
            return self._max_batch
        if not self._seconds_per_item:
            return 1
        fitting = int(self._longest_turn_seconds / self._seconds_per_item)
        return max(1, min(self._max_batch, fitting))

    @staticmethod
    def _is_dead(ticket: Ticket[Item, Output]) -> bool:
        return ticket.abandoned or ticket.failure is not None or ticket.deadline <= time.monotonic()

    def _score_batch(self, batch: Sequence[tuple[Ticket[Item, Output], int]]) -> None:
        try:
            outputs = batch[0][0].predict([ticket.items[index] for ticket, index in batch])
            if len(outputs) != len(batch):
                raise RuntimeError("the model returned another number of outputs than items")
        except Exception as error:  # noqa: BLE001 - whatever a model raises is its request's answer
            if len(batch) == 1:
                _fail(batch[0][0], error)
                return
            # One bad item must not fail its neighbours: score each on its own.
            for entry in batch:
                self._score_batch([entry])
            return
        for (ticket, index), output in zip(batch, outputs, strict=True):
            ticket.outputs[index] = output
            ticket.missing -= 1
            if not ticket.missing and ticket.failure is None:
                ticket.on_end()

    def _learn(self, seconds_per_item: float) -> None:
        known = self._seconds_per_item
        self._seconds_per_item = (
            known + SMOOTHING * (seconds_per_item - known) if known else seconds_per_item
        )


class Admission(Generic[Item, Output]):
    """The places that one request holds in a :class:`Batcher`."""

    def __init__(self, batcher: Batcher[Item, Output], deadline: float) -> None:
        self._batcher = batcher
        self._deadline = deadline
        self._places = 0

    def __enter__(self) -> Admission[Item, Output]:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def reserve(self, places: int) -> None:
        """Take further places, as :meth:`Batcher.admit` does."""
        self._batcher.reserve(places, self._deadline, held=self._places)
        self._places += places

    def release(self) -> None:
        """Give all places back."""
        self._batcher.release(self._places)
        self._places = 0

    def score(
        self, items: Sequence[Item], predict: Predict[Item, Output] | None = None
    ) -> Sequence[Output]:
        """Score ``items``, reserving the places that they need beyond the first."""
        if len(items) > self._places:
            self.reserve(len(items) - self._places)
        return self._batcher.score(items, self._deadline, predict)

    def submit(
        self,
        items: Sequence[Item],
        on_end: Callable[[], None],
        predict: Predict[Item, Output] | None = None,
    ) -> Ticket[Item, Output]:
        """Queue ``items`` as :meth:`score` does, and return at once; see :meth:`Batcher.submit`."""
        if len(items) > self._places:
            self.reserve(len(items) - self._places)
        return self._batcher.submit(items, self._deadline, on_end, predict)


def at_capacity(wait_seconds: float) -> Problem:
    """The refusal of a full service: the client may come back after the predicted wait."""
    return Problem(
        503,
        "The service is at capacity; try again later.",
        retry_after_seconds=wait_seconds,
        reason="capacity",
    )


def past_deadline() -> Problem:
    """The answer to a request that was not scored in time."""
    return Problem(504, "The answer was not ready before the deadline.", reason="deadline")


def _fail(ticket: Ticket[Item, Output], error: Exception) -> None:
    if ticket.failure is None:
        ticket.failure = error
        ticket.on_end()
