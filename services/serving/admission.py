"""The places that a request holds with the batcher, and the refusal of those who get none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic

from services.serving.model import Item, Output
from services.serving.problem import Problem

if TYPE_CHECKING:
    from services.serving.batching import Batcher
    from services.serving.ticket import Predict, Prepare, Ticket


class Admission(Generic[Item, Output]):
    """The places that one request holds in a :class:`services.serving.batching.Batcher`.

    They may be given back while the batcher prepares the request, which then takes no more.
    """

    def __init__(self, batcher: Batcher[Item, Output], deadline: float) -> None:
        self._batcher = batcher
        self._deadline = deadline
        self._places = 0
        self._is_over = False
        self._has_waited = False
        self._lock = threading.Lock()

    def __enter__(self) -> Admission[Item, Output]:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def reserve(self, places: int) -> None:
        """Take further places, as :meth:`services.serving.batching.Batcher.admit` does.

        Raises:
            Problem: 503, there are none; 504, all were given back.
        """
        with self._lock:
            if self._is_over:
                raise past_deadline()
            self._batcher.reserve(
                places, self._deadline, held=self._places, is_next=self._has_waited
            )
            self._places += places

    def release(self) -> None:
        """Give all places back."""
        with self._lock:
            self._batcher.release(self._places)
            self._places = 0
            self._is_over = True

    def score(
        self, items: Sequence[Item], predict: Predict[Item, Output] | None = None
    ) -> Sequence[Output]:
        """Score ``items``, reserving the places that they need beyond the first."""
        self._reserve_for(items)
        return self._batcher.score(items, self._deadline, predict)

    def submit(
        self,
        items: Sequence[Item],
        on_end: Callable[[], None],
        predict: Predict[Item, Output] | None = None,
    ) -> Ticket[Item, Output]:
        """Queue ``items`` as :meth:`score` does, and return at once."""
        self._reserve_for(items)
        return self._batcher.submit(
            items, self._deadline, on_end, predict, is_next=self._has_waited
        )

    def submit_unprepared(
        self,
        prepare: Prepare[Item],
        on_end: Callable[[], None],
        predict: Predict[Item, Output] | None = None,
    ) -> Ticket[Item, Output]:
        """Queue a request whose items ``prepare`` makes once its turn has come.

        It waits once: where they are made elsewhere after all and submitted, they are next.
        """

        def prepared() -> Sequence[Item]:
            self._has_waited = True
            items = prepare()
            self._reserve_for(items)
            return items

        return self._batcher.submit_unprepared(prepared, self._deadline, on_end, predict)

    def _reserve_for(self, items: Sequence[Item]) -> None:
        if len(items) > self._places:
            self.reserve(len(items) - self._places)


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
