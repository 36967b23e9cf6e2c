"""Whether the service is starting, ready or draining."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Lifecycle:
    """The state that readiness probes see.

    While it drains (see :mod:`services.serving.server`) requests are still accepted and answered,
    but with ``Connection: close``, and readiness is gone.

    ``look_asked`` is set when somebody wants the model folder to be looked at now;
    ``was_asked_early`` says that somebody did while the model was loading.
    """

    def __init__(self, on_change: Callable[[bool], None] = lambda _ready: None) -> None:
        self.on_change = on_change
        self._started = False
        self.draining = False
        self.look_asked = threading.Event()
        self.was_asked_early = False

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
