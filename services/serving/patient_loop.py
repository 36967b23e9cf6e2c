"""An event loop that lets the model have the core while that has enough to do.

Each time that the loop looks after one thing that has come, the model is interrupted, and what the loop
needs is no longer in the processor's caches: that costs ten times its work. So while much waits for the
model, the loop rests a little, and then does all that has come and that is finished at once, as a network
card tells of packets under load.
"""

from __future__ import annotations

import asyncio
import select
import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike


@dataclass(frozen=True)
class Rest:
    """How long what clients send may wait.

    Attributes:
        seconds: at most.
        with_threads: whether what threads have finished waits as well, and does not end the rest.
    """

    seconds: float
    with_threads: bool


class _Selector(selectors.DefaultSelector):
    """Tells what has come, after a rest if there is time for one."""

    rest: Callable[[], Rest | None] | None = None

    def __init__(self) -> None:
        super().__init__()
        self._threads: select.poll | None = None

    def register(
        self, fileobj: FileDescriptorLike, events: int, data: object = None
    ) -> selectors.SelectorKey:
        """Look at another file, the first of which is that by which threads wake the loop."""
        key = super().register(fileobj, events, data)
        if self._threads is None:
            self._threads = select.poll()
            self._threads.register(key.fd, select.POLLIN)
        return key

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What has come."""
        if self.rest is None or self._threads is None or (timeout is not None and timeout <= 0):
            return super().select(timeout)
        rest = self.rest()
        # Who waits for a time is not kept waiting.
        if rest is None or (timeout is not None and timeout <= rest.seconds):
            return super().select(timeout)
        # What comes without a pause, such as a large body, is taken without one.
        if came := super().select(0):
            return came
        if rest.with_threads:
            time.sleep(rest.seconds)
        else:
            self._threads.poll(rest.seconds * 1000)
        return super().select(0)


class PatientLoop(asyncio.SelectorEventLoop):
    """See the module."""

    def __init__(self) -> None:
        self._looks = _Selector()
        super().__init__(self._looks)

    def be_patient(self, rest: Callable[[], Rest | None]) -> None:
        """Ask ``rest`` from now on, before each wait.

        While it answers with one, something should come of itself before that is over: the loop does not
        sleep on, but looks.
        """
        self._looks.rest = rest
