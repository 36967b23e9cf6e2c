"""How much, and for how long, a connection may ask of the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MOST_CONNECTIONS: Final = 4096
"""Connections that are served, idle ones included; must exceed the load balancers'."""
MOST_HEAD_BYTES: Final = 64 << 10
MOST_HEADERS: Final = 100
MOST_WAITING: Final = 64
"""Requests of one connection that may wait behind the one that is answered (pipelining)."""
DISCARDED_BYTES: Final = 256 << 10
"""What is left of a body of up to this size is read after its reply, so that its connection can go
on: a new connection would cost an overloaded service more."""
HEAD_SECONDS: Final = 30.0
LINGER_SECONDS: Final = 2.0
"""How long bytes are still taken from a client that is told to go: a connection that is closed with
bytes unread is reset, and the client may never see why."""
WRITE_SECONDS: Final = 30.0
"""How long a client may take to read what it has been sent."""
IDLE_SECONDS: Final = 3700.0
"""Longer than Envoy keeps an idle connection (an hour), so that it is the gateway that ends it and
sends no request into a connection that is being closed."""


@dataclass(frozen=True)
class Patience:
    """How long a connection is waited for, in seconds."""

    body: float
    head: float = HEAD_SECONDS
    idle: float = IDLE_SECONDS
    write: float = WRITE_SECONDS
    linger: float = LINGER_SECONDS
