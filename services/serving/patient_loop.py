"""An event loop that lets the model have the core while that has enough to do.

Each time that the loop looks after one thing that has come, the model is interrupted, and what the loop
needs is no longer in the processor's caches: that costs ten times its work. So while much waits for the
model, the loop rests a little and then does all that has come and that is finished at once, as a network
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
        with_threads: whether what threads have finished waits as well, and does not end the rest.
    """

    seconds: float
    with_threads: bool


class _Selector(selectors.DefaultSelector):
    """Looks at once, unless there is time for a rest."""

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
        """What has come, after a while at most."""
        if self.rest is None or self._threads is None or (timeout is not None and timeout <= 0):
            return super().select(timeout)
        rest = self.rest()
        # Who waits for a time is not kept waiting.
        if rest is not None and (timeout is None or timeout > rest.seconds):
            if rest.with_threads:
                time.sleep(rest.seconds)
            else:
                self._threads.poll(rest.seconds * 1000)
            timeout = 0
        return super().select(timeout)


class PatientLoop(asyncio.SelectorEventLoop):
    """See the module."""

    def __init__(self) -> None:
        self._looks = _Selector()
        super().__init__(self._looks)

    def be_patient(self, rest: Callable[[], Rest | None]) -> None:
        """Ask ``rest`` from now on, before each wait."""
        self._looks.rest = rest
