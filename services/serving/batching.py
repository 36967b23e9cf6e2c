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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic

from services.serving.admission import Admission, at_capacity, past_deadline
from services.serving.model import Item, Output
from services.serving.pace import Pace
from services.serving.request_queue import RequestQueue
from services.serving.ticket import Entry, Predict, Prepare, Ticket
from services.serving.turns import Outbox, Turns, TurnsOfLoop, TurnsOfThread

LOOP_TURN_SECONDS = 0.05
"""About how long a batch may hold up the event loop, where that scores it."""
ROUND_SECONDS = 0.03
"""How long the loop goes on with batch after batch before it looks at what has arrived.

A refusal or a probe may wait for such a round, whose last batch may take as long as one may."""
LONG_WAIT_SECONDS = 0.1
"""Where so much work waits, answers wait for the end of a round: each time that the loop does something
else costs the model its place in the processor's caches, and that is little beside what all wait."""


@dataclass(frozen=True)
class BatchReport:
    """One batch as metrics see it; times in seconds."""

    size: int
    inference_seconds: float
    queue_seconds: Sequence[float]
    dropped: int
    """Items that were not scored because their deadline was over."""


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
        self._queue: RequestQueue[Item, Output] = RequestQueue()
        self._pace = Pace()
        self._admitted = 0
        self._batch_started: float | None = None
        self._waiting_since = 0.0
        self._longest_turn_seconds = math.inf
        self._turns: Turns = TurnsOfThread(self._take_turn)

    def score_on(self, loop: asyncio.AbstractEventLoop, outbox: Outbox) -> None:
        """Score on the event loop from now on; called there, before anything is submitted.

        What an ``on_end`` does on the loop, it is to put into ``outbox``.
        """
        self._turns.end()
        self._longest_turn_seconds = LOOP_TURN_SECONDS
        self._turns = TurnsOfLoop(
            self._take_turn,
            loop,
            outbox,
            self._fills_a_batch,
            ROUND_SECONDS,
            can_wait=lambda: len(self._queue) * self._pace.seconds_per_item > LONG_WAIT_SECONDS,
        )

    def score_in_thread(self) -> None:
        """Score in a thread from now on; called on the loop, where that has scored so far or not."""
        if isinstance(self._turns, TurnsOfLoop):
            turns, self._turns = self._turns, TurnsOfThread(self._take_turn)
            self._longest_turn_seconds = math.inf
            turns.hand_over(self._turns)

    @property
    def is_full(self) -> bool:
        """Whether the next request would be refused; cheap enough to ask before anything else."""
        admitted = self._admitted
        return admitted >= self._queue_limit or (
            admitted > 0 and self._pace.wait_seconds(admitted + 1) > self._patience_seconds
        )

    @property
    def depth(self) -> int:
        """Items admitted and not yet answered: what an autoscaler should follow."""
        return self._admitted

    @property
    def expected_wait_seconds(self) -> float:
        """Predicted seconds until an item admitted now is scored."""
        return self._pace.wait_seconds(self._admitted + 1)

    @property
    def is_on_loop(self) -> bool:
        """Whether the event loop scores."""
        return isinstance(self._turns, TurnsOfLoop)

    def busy_seconds(self) -> float:
        """How long the present batch is being prepared and run; 0 when there is none."""
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

    def reserve(
        self, places: int, deadline: float, *, held: int = 0, is_next: bool = False
    ) -> None:
        """Take ``places`` places beside the ``held`` ones, or refuse; see :meth:`admit`.

        A request that is alone in the house is never refused: it may need more places than there
        are, or more time than predicted, and would be refused for ever. One whose turn has come
        (``is_next``) waits for nobody but itself.
        """
        with self._lock:
            wait = self._pace.wait_seconds((held if is_next else self._admitted) + places)
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
        *,
        is_next: bool = False,
    ) -> Ticket[Item, Output]:
        """Queue ``items``, for which places must be reserved, and return at once.

        ``on_end`` is called once they are scored or have failed, mostly in the midst of a batch. A
        ticket whose deadline is over before its turn comes is passed over, and ``on_end`` not called.
        What ``is_next`` has waited for its turn already.
        """
        ticket: Ticket[Item, Output] = Ticket(items, deadline, predict or self._predict, on_end)
        if not items:
            on_end()
            return ticket
        if is_next:
            self._queue.prepend(ticket)
        else:
            self._queue.append(ticket)
        self._turns.ask()
        return ticket

    def submit_unprepared(
        self,
        prepare: Prepare[Item],
        deadline: float,
        on_end: Callable[[], None],
        predict: Predict[Item, Output] | None = None,
    ) -> Ticket[Item, Output]:
        """Queue a request whose items are made only when its turn has come, by who takes that turn.

        One place must be reserved for it; ``prepare`` has to reserve those of further items. What it
        raises is the request's failure; otherwise as :meth:`submit`.
        """
        ticket: Ticket[Item, Output] = Ticket((), deadline, predict or self._predict, on_end)
        ticket.prepare = prepare
        self._queue.append_unprepared(ticket)
        self._turns.ask()
        return ticket

    def abandon(self, ticket: Ticket[Item, Output]) -> None:
        """Let go of the items at once: nobody waits for them, and behind a stuck model they pile up."""
        self._queue.abandon(ticket)

    def _take_turn(self) -> bool:
        if not self._queue:
            return False
        self._batch_started = time.monotonic()
        batch = self._next_batch()
        started = time.monotonic()
        live = [entry for entry in batch if not self._passes_over(entry[0])]
        if live:
            self._score_batch(live)
        ended = time.monotonic()
        self._batch_started = None
        if live:
            # Not the batch's time alone: what others had to wait for between two batches, such as their
            # preparation, is part of what an item takes.
            self._pace.learn((ended - self._waiting_since) / len(live))
        self._waiting_since = ended
        waits = [started - ticket.queued_at for ticket, _ in live]
        self._observe(BatchReport(len(live), ended - started, waits, self._queue.take_dropped()))
        return bool(self._queue)

    def _next_batch(self) -> list[Entry[Item, Output]]:
        batch: list[Entry[Item, Output]] = []
        while not batch or self.busy_seconds() < self._longest_turn_seconds:
            unprepared = self._queue.fill(batch, self._most_items())
            # One that cannot be prepared ends the turn, which would go on for as long as such ones come.
            if unprepared is None or not self._prepare(unprepared):
                break
        return batch

    def _prepare(self, ticket: Ticket[Item, Output]) -> bool:
        """Put a request's items in front of the queue, unless nobody waits for them.

        Returns whether it cost no time for nothing.
        """
        prepare, ticket.prepare = ticket.prepare, None
        if prepare is None or self._passes_over(ticket):
            return True
        began = time.monotonic()
        try:
            ticket.take(prepare())
        except Exception as error:  # noqa: BLE001 - as whatever a model raises
            ticket.fail(error)
            return False
        # Its wait is that for the model.
        ticket.queued_at += time.monotonic() - began
        if not ticket.items:
            ticket.on_end()
            return False
        self._queue.prepend(ticket)
        return True

    def _passes_over(self, ticket: Ticket[Item, Output]) -> bool:
        """Whether what was taken is not scored, as that would be for nobody."""
        if not ticket.is_dead:
            return False
        self._queue.pass_over(ticket)
        return True

    def _fills_a_batch(self) -> bool:
        return len(self._queue) >= self._most_items()

    def _most_items(self) -> int:
        if math.isinf(self._longest_turn_seconds):
            return self._max_batch
        return min(self._max_batch, self._pace.items_within(self._longest_turn_seconds))

    def _score_batch(self, batch: Sequence[Entry[Item, Output]]) -> None:
        try:
            outputs = batch[0][0].predict([ticket.items[index] for ticket, index in batch])
            if len(outputs) != len(batch):
                raise RuntimeError("the model returned another number of outputs than items")
        except Exception as error:  # noqa: BLE001 - whatever a model raises is its request's answer
            if len(batch) == 1:
                batch[0][0].fail(error)
                return
            # One bad item must not fail its neighbours: score each on its own.
            for entry in batch:
                self._score_batch([entry])
            return
        for (ticket, index), output in zip(batch, outputs, strict=True):
            ticket.put(index, output)
