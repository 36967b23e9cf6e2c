"""Networks of the tests' own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

import pytest

from tests.network import own_network

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a network of one's own needs root")
CONNECT = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)"


def reaches(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def test_it_holds_nothing_but_a_loopback() -> None:
    with own_network() as network:
        before = socket.if_nameindex()
        with network.entered():
            assert [name for _, name in socket.if_nameindex()] == ["lo"]
        assert socket.if_nameindex() == before


def test_whoever_is_in_it_reaches_its_servers_and_nobody_else_does() -> None:
    """Threads and processes that are started in it are in it."""
    with own_network() as network, own_network() as other:
        with network.entered():
            server = socket.create_server(("0.0.0.0", 0))
            port = server.getsockname()[1]
            seen: list[bool] = []
            thread = threading.Thread(target=lambda: seen.append(reaches(port)))
            thread.start()
            thread.join()
            assert seen == [True]
            subprocess.run([sys.executable, "-c", CONNECT, str(port)], check=True, timeout=30)
        assert not reaches(port)
        with other.entered():
            assert not reaches(port)
        server.close()


def test_two_of_them_have_the_same_ports_free() -> None:
    with own_network() as one, own_network() as other:
        servers: list[socket.socket] = []
        for network in (one, other):
            with network.entered():
                servers.append(socket.create_server(("0.0.0.0", 18_000)))
        for server in servers:
            server.close()
