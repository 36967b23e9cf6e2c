"""One request on its way through the batcher."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Generic, cast

from services.serving.model import Item, Output

Predict = Callable[[Sequence[Item]], Sequence[Output]]
Prepare = Callable[[], Sequence[Item]]


class Ticket(Generic[Item, Output]):
    """A request's items; see :meth:`services.serving.batching.Batcher.submit`.

    Attributes:
        prepare: makes the items, if that is left until their turn comes.
    """

    def __init__(
        self,
        items: Sequence[Item],
        deadline: float,
        predict: Predict[Item, Output],
        on_end: Callable[[], None],
    ) -> None:
        self.deadline = deadline
        self.predict = predict
        self.queued_at = time.monotonic()
        self.failure: Exception | None = None
        self.abandoned = False
        self.on_end = on_end
        self.prepare: Prepare[Item] | None = None
        self.take(items)

    def take(self, items: Sequence[Item]) -> None:
        """Have these items, none of which is scored yet."""
        self.items = items
        self.outputs: list[Output | None] = [None] * len(items)
        self.missing = len(items)

    def entries(self) -> Sequence[Entry[Item, Output]]:
        """Each of its items as it stands in the queue."""
        return [(self, index) for index in range(len(self.items))]

    @property
    def is_late(self) -> bool:
        """Whether its deadline is over."""
        return self.deadline <= time.monotonic()

    @property
    def is_dead(self) -> bool:
        """Whether scoring it would be for nobody: it has failed, or nobody waits for it any more."""
        return self.abandoned or self.failure is not None or self.is_late

    def put(self, index: int, output: Output) -> None:
        """Take the output of one item; the last one ends it."""
        self.outputs[index] = output
        self.missing -= 1
        if not self.missing and self.failure is None:
            self.on_end()

    def fail(self, error: Exception) -> None:
        """End it with what the model raised, unless it has failed before or nobody waits for it."""
        if self.failure is None and not self.abandoned:
            self.failure = error
            self.on_end()

    def result(self) -> Sequence[Output]:
        """The outputs, once ``on_end`` was called; raises what the model raised."""
        if self.failure is not None:
            raise self.failure
        return cast("Sequence[Output]", self.outputs)

    def settle(self) -> None:
        """Be done with it: let go of the failure, whose traceback holds the request and its body.

        Else they would be kept until cyclic garbage is collected. What is still queued of it stays dead.
        """
        self.abandoned = True
        self.failure = None


Entry = tuple[Ticket[Item, Output], int]
"""An item in the queue: whose it is, and which of its items."""
