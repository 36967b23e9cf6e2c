"""Whether the service is starting, ready or draining."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol


class Signal(Protocol):
    """Something that another process sets."""

    def wait(self) -> object:
        """Return once it is set."""
        ...


class Lifecycle:
    """The state that readiness probes see.

    Draining is announced by the parent process (see :mod:`services.serving.server`): requests
    are still accepted and answered, but with ``Connection: close``, and readiness is gone.
    """

    def __init__(self, on_change: Callable[[bool], None] = lambda _ready: None) -> None:
        self.on_change = on_change
        self._started = False
        self.draining = False

    @property
    def ready(self) -> bool:
        """Whether load balancers should send requests."""
        return self._started and not self.draining

    def start(self) -> None:
        """The model is loaded and warm."""
        self._started = True
        self.on_change(self.ready)

    def drain(self) -> None:
        """The service is about to stop."""
        self.draining = True
        self.on_change(self.ready)

    def drain_on(self, event: Signal) -> None:
        """Begin to drain when ``event`` is set by another process."""

        def wait() -> None:
            event.wait()
            self.drain()

        threading.Thread(target=wait, name="drain", daemon=True).start()
