"""Cutting off request bodies that do not arrive.

The WSGI server reads a body inside a call that cannot be interrupted and knows no time limit, so
a client that stops half-way would hold a request thread for as long as it likes. Linux can tell
which connections those are: bytes came in, nothing has gone out since, for longer than any
request may take. Their reading side is shut down, which ends the read; the request is then
answered with 408 over the writing side.

A client can hide from that, by sending the beginning of a second request before the first is
answered. If a read is still overdue after the sure cases were cut, every connection that has
been silent both ways for as long is cut too: some of them idle, whose clients connect again.

A read that is in time costs nothing but an entry in a dictionary. Where TCP_INFO is not to be
had (other systems than Linux) bodies have no time limit.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TCP_INFO = struct.Struct("8x 9I 4I 11I 2Q Q")
"""The head of Linux's struct tcp_info, up to tcpi_bytes_acked."""

SAMPLE_SECONDS = 0.5
DESCRIPTORS = Path("/proc/self/fd")


@dataclass(frozen=True)
class Silence:
    """How long ago a connection last carried data each way, in seconds, and if it ever answered."""

    since_sent: float
    since_received: float
    has_answered: bool

    @property
    def owes_answer(self) -> bool:
        """Whether something came in after the last answer went out."""
        return self.since_received < self.since_sent or not self.has_answered


class Reading:
    """One body being read, watched while the ``with`` block lasts."""

    def __init__(self, readings: set[Reading], limit_seconds: float) -> None:
        self._readings = readings
        self._deadline = time.monotonic() + limit_seconds

    def __enter__(self) -> Reading:
        self._readings.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._readings.discard(self)

    def timed_out(self) -> bool:
        """Whether the body has used up its time."""
        return self.overdue_seconds() >= 0

    def overdue_seconds(self) -> float:
        """By how much the body is late; negative while it has time."""
        return time.monotonic() - self._deadline


class SlowBodies:
    """Watches the reads of one listening port.

    Args:
        port: the port whose connections may be cut.
        limit_seconds: how long a body may take.
        answer_seconds: how long an answer may take; a connection is left alone for as long.
    """

    def __init__(self, port: int, limit_seconds: float, answer_seconds: float) -> None:
        self._port = port
        self._limit_seconds = limit_seconds
        self._patience_seconds = max(limit_seconds, answer_seconds)
        self._readings: set[Reading] = set()
        self._suspects: dict[int, float] = {}
        if hasattr(socket, "TCP_INFO") and DESCRIPTORS.exists():
            threading.Thread(target=self._watch, name="slow-bodies", daemon=True).start()

    def reading(self) -> Reading:
        """Watch one read: ``with slow_bodies.reading() as reading``."""
        return Reading(self._readings, self._limit_seconds)

    def _watch(self) -> None:
        while True:
            time.sleep(SAMPLE_SECONDS)
            if not self._readings:
                self._suspects.clear()
                continue
            # Out of descriptors, say: the next look may succeed, and must come.
            with contextlib.suppress(OSError):
                self._cut_overdue(time.monotonic())

    def _cut_overdue(self, now: float) -> None:
        latest = max((reading.overdue_seconds() for reading in tuple(self._readings)), default=0.0)
        hidden = latest > self._patience_seconds - self._limit_seconds + 3 * SAMPLE_SECONDS
        suspects: dict[int, float] = {}
        for inode, connection in connections(self._port):
            with connection:
                silence = measure(connection)
                if silence is None:
                    continue
                silent = min(silence.since_sent, silence.since_received)
                if silence.owes_answer:
                    since = self._suspects.get(inode, now - silence.since_received)
                    suspects[inode] = since
                    silent = max(silent, min(now - since, silence.since_sent))
                elif not hidden:
                    continue
                if silent > self._patience_seconds:
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RD)
        self._suspects = suspects


def connections(port: int) -> Iterator[tuple[int, socket.socket]]:
    """This process's connections on a local port: inode and a duplicate of each socket."""
    for entry in os.listdir(DESCRIPTORS):
        with contextlib.suppress(OSError, ValueError):
            target = os.readlink(DESCRIPTORS / entry)
            if not target.startswith("socket:["):
                continue
            descriptor = os.dup(int(entry))
            try:
                connection = socket.socket(fileno=descriptor)
            except OSError:
                os.close(descriptor)
                continue
            if connection.family in (socket.AF_INET, socket.AF_INET6) and is_peer(connection, port):
                yield int(target[8:-1]), connection
            else:
                connection.close()


def is_peer(connection: socket.socket, port: int) -> bool:
    """Whether a socket is a connection that came in on ``port``."""
    try:
        connection.getpeername()
        return connection.getsockname()[1] == port
    except OSError:
        return False


def measure(connection: socket.socket) -> Silence | None:
    """How long a connection has been silent each way; None if the kernel does not say."""
    try:
        head = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size)
        fields = TCP_INFO.unpack(head)
    except (OSError, struct.error):
        return None
    last_data_sent, last_data_received, bytes_acked = fields[9], fields[11], fields[-1]
    # Linux counts the SYN as one byte.
    return Silence(last_data_sent / 1000, last_data_received / 1000, bytes_acked > 1)
