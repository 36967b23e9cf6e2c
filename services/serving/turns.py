"""Who takes a batcher's turns, each of which scores one batch: a thread of its own, or the event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Protocol

Turn = Callable[[], bool]
"""Scores a batch of what is queued, if anything is; returns whether more is."""


class Turns(Protocol):
    """Takes turns while there is something to score."""

    @property
    def are_taken(self) -> bool:
        """Whether somebody is there to take them."""
        ...

    def ask(self) -> None:
        """Something was queued; called by any thread."""

    def end(self) -> None:
        """No more will be asked for; those that are due are taken."""


class Outbox(Protocol):
    """Where the answers of a turn are put, by the turn."""

    def hold(self) -> None:
        """Wake the loop for nothing that is put in: who holds it delivers it."""

    def deliver(self) -> None:
        """Send what is in it; it is not held any more."""


class TurnsOfThread:
    """For a model that computes without the interpreter's lock: the loop goes on meanwhile."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._changed = threading.Condition()
        self._is_asked = False
        self._is_ending = False
        self._thread = threading.Thread(target=self._run, name="batcher", daemon=True)
        self._thread.start()

    @property
    def are_taken(self) -> bool:
        """Whether the thread is running."""
        return self._thread.is_alive()

    def ask(self) -> None:
        """Wake the thread, unless it is at work."""
        with self._changed:
            self._is_asked = True
            self._changed.notify()

    def end(self) -> None:
        """End the thread."""
        with self._changed:
            self._is_ending = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while self._wait():
            while self._turn():
                pass

    def _wait(self) -> bool:
        with self._changed:
            while not self._is_asked:
                if self._is_ending:
                    return False
                self._changed.wait()
            self._is_asked = False
            return True


class TurnsOfLoop:
    """For a model whose items take some milliseconds on a core that it shares with the loop.

    Two threads that both need that core, or the interpreter's lock, take it from each other at every
    request that arrives, which shows in the tail of the latency and in overload.

    Args:
        turn: scores a batch.
        loop: in whose thread this is made.
        outbox: held during a turn, so that nothing has to wake the loop for its answers.
        is_enough: whether what is queued fills a batch.
        round_seconds: for how long turn may follow turn before the loop looks at what has arrived; none
            is begun that would probably end later.
        can_wait: whether answers may wait for the end of a round.
    """

    def __init__(
        self,
        turn: Turn,
        loop: asyncio.AbstractEventLoop,
        outbox: Outbox,
        is_enough: Callable[[], bool],
        round_seconds: float = 0.0,
        can_wait: Callable[[], bool] = lambda: False,
    ) -> None:
        self._turn = turn
        self._loop = loop
        self._outbox = outbox
        self._is_enough = is_enough
        self._round_seconds = round_seconds
        self._can_wait = can_wait
        self._thread = threading.get_ident()
        self._is_due = False
        self._asked = 0
        self._seen: int | None = None
        self._successor: Turns | None = None

    @property
    def are_taken(self) -> bool:
        """A loop that is not there any more answers nobody who asks."""
        return True

    def ask(self) -> None:
        """Have the loop take a turn once it has done what is due."""
        if threading.get_ident() == self._thread:
            self._note()
        else:
            self._loop.call_soon_threadsafe(self._note)

    def end(self) -> None:
        """Nothing: the loop takes what is due before it ends itself."""

    def hand_over(self, successor: Turns) -> None:
        """Take no more turns; what is due, and what is still asked of these, is asked of ``successor``.

        Called on the loop, so that no turn is under way, but maybe a round, which this ends.
        """
        self._successor = successor
        successor.ask()

    def _note(self) -> None:
        if self._successor is not None:
            self._successor.ask()
            return
        self._asked += 1
        if not self._is_due:
            # Nothing more could join it.
            self._schedule(self._asked if self._is_enough() else None)

    def _schedule(self, seen: int | None) -> None:
        self._is_due = True
        self._seen = seen
        self._loop.call_soon(self._look)

    def _look(self) -> None:
        """Take a turn, unless the loop's last look at what has arrived brought more to join it.

        Callers who were answered together come back within a moment, one after the other.
        """
        if self._successor is not None:
            return
        has_looked, seen, self._seen = self._seen is not None, self._seen, self._asked
        if not has_looked or (self._asked != seen and not self._is_enough()):
            self._loop.call_soon(self._look)
            return
        is_more = False
        try:
            is_more = self._take_turns()
        finally:
            asked = self._asked
            self._outbox.deliver()
            # Due until here: who is answered may ask again at once, but has no turn before a look at
            # what has arrived.
            self._is_due = False
            if is_more or self._asked != asked:
                self._schedule(None)

    def _take_turns(self) -> bool:
        """Take the turns of one round; returns whether there are more for the next one."""
        began, taken = time.monotonic(), 0
        self._outbox.hold()
        while self._turn():
            taken += 1
            elapsed = time.monotonic() - began
            if elapsed + elapsed / taken > self._round_seconds:
                return True
            if not self._can_wait():
                self._outbox.deliver()
                self._outbox.hold()
            if self._successor is not None:
                return False
            if time.monotonic() - began > self._round_seconds:
                return True
        return False
