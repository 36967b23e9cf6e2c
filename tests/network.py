"""Networks of the tests' own: a loopback where every port is free, and that nobody else reaches.

Linux keeps the network of each thread apart, and hands it on to the threads and processes that it
starts: network_namespaces(7).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
PRESENT = "/proc/thread-self/ns/net"
LOCK = Path(tempfile.gettempdir()) / "realtime-scoring-tests.lock"


@dataclass(frozen=True)
class Network:
    """A network for servers with fixed ports, or that listen on every address.

    Attributes:
        namespace: file descriptor of the namespace; None for the machine's own network.
    """

    namespace: int | None

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This thread in it, with the threads and processes that it starts, until the end."""
        if self.namespace is None:
            yield
            return
        home = os.open(PRESENT, os.O_RDONLY)
        try:
            _enter(self.namespace)
            try:
                yield
            finally:
                _enter(home)
        finally:
            os.close(home)


@contextmanager
def own_network() -> Iterator[Network]:
    """A network with nothing but its loopback, or without the right to one the machine's own.

    Then other tests that want the same wait until the end of the block.
    """
    if os.geteuid() == 0:
        namespace = _new_namespace()
        try:
            yield Network(namespace)
        finally:
            os.close(namespace)
    else:
        with LOCK.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield Network(None)


def _new_namespace() -> int:
    home = os.open(PRESENT, os.O_RDONLY)
    try:
        if _libc().unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "no network namespace can be made")
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
                fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
            return os.open(PRESENT, os.O_RDONLY)
        finally:
            _enter(home)
    finally:
        os.close(home)


def _enter(namespace: int) -> None:
    if _libc().setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "the network namespace cannot be entered")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
