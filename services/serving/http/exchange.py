"""What a connection asks of the application behind it. Everything here happens on the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from services.serving.http.message import Address, Head, Reply
from services.serving.problem import Problem

Send = Callable[[Reply], None]


class Exchange(Protocol):
    """One request on its way to its reply, which is sent once, by the :data:`Send` it was given."""

    @property
    def most_bytes(self) -> int:
        """The largest body that is taken; 0 where none is wanted, and :meth:`receive` not waited for."""
        ...

    def receive(self, body: bytes) -> None:
        """Take the whole body."""

    def fail(self, problem: Problem) -> None:
        """Reply that there is no body: it is too large, too slow or cut short."""

    def abandon(self) -> None:
        """The client is gone: let go of everything; nothing can be sent any more."""


class Site(Protocol):
    """An application."""

    def open(self, head: Head, send: Send) -> Exchange:
        """Begin with a request whose head has arrived; it may be replied to at once."""
        ...

    @property
    def is_at_capacity(self) -> bool:
        """Whether :meth:`refusal` is worth asking for."""
        ...

    def refusal(self, target: bytes) -> Reply | None:
        """What a POST to ``target`` is replied to for want of capacity, whatever else it says."""
        ...

    def refuse(self, problem: Problem, client: Address) -> Reply:
        """The reply to what is no request, or not all of one's head."""
        ...
