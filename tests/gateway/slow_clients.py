"""Clients that take their time, each in its own way."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import h2.config
import h2.connection
import h2.events

from tests.gateway.clients import Client

SLOW = "/echo/slow"
"""What they ask for."""
PATIENCE_SECONDS = 60
DRIP_SECONDS = 0.5


@dataclass(frozen=True)
class Ended:
    """How a connection ended.

    Attributes:
        seconds: after how long the gateway ended it, or answered.
        answer: what it said, if anything.
    """

    seconds: float
    answer: bytes


def never_begins_the_handshake(client: Client) -> Ended:
    address = ("127.0.0.1", client.gateway.https_port)
    with socket.create_connection(address, timeout=PATIENCE_SECONDS) as silent:
        return until_ended(silent, lambda: None)


def drips_its_headers(client: Client) -> Ended:
    rest = iter("x" * 10_000)
    with client.connect() as connection:
        connection.sendall(client.head("/echo")[:-2] + b"X-Long: ")
        return until_ended(connection, lambda: connection.sendall(next(rest).encode()))


def stops_in_its_body(client: Client) -> Ended:
    with client.connect() as connection:
        connection.sendall(client.head(SLOW, "Content-Length: 1000", method="POST"))
        connection.sendall(b"x" * 10)
        return until_ended(connection, lambda: None)


def drips_its_body(client: Client) -> Ended:
    with client.connect() as connection:
        connection.sendall(client.head(SLOW, "Content-Length: 1000", method="POST"))
        return until_ended(connection, lambda: connection.sendall(b"x"))


def drips_its_body_in_http_2(client: Client) -> Ended:
    """On a connection that goes on: only the stream is ended."""
    context = client.trust()
    context.set_alpn_protocols(["h2"])
    with client.connect(context) as connection:
        speaker = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        speaker.initiate_connection()
        headers = [
            (":method", "POST"), (":scheme", "https"), (":path", SLOW),
            (":authority", client.gateway.host_name), ("content-length", "1000"),
        ]  # fmt: skip
        speaker.send_headers(1, headers)
        begun = time.monotonic()
        connection.settimeout(DRIP_SECONDS)
        while time.monotonic() < begun + PATIENCE_SECONDS:
            speaker.send_data(1, b"x")
            connection.sendall(speaker.data_to_send())
            with suppress(TimeoutError):
                for event in speaker.receive_data(connection.recv(65_536)):
                    if isinstance(event, h2.events.ResponseReceived):
                        return Ended(time.monotonic() - begun, dict(event.headers)[b":status"])
                    if isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                        return Ended(time.monotonic() - begun, b"")
        raise TimeoutError("nobody minds")


def until_ended(connection: socket.socket, drip: Callable[[], None]) -> Ended:
    """Drip until the gateway says something or hangs up."""
    begun = time.monotonic()
    connection.settimeout(DRIP_SECONDS)
    while time.monotonic() < begun + PATIENCE_SECONDS:
        try:
            drip()
            return Ended(time.monotonic() - begun, connection.recv(1000))
        except TimeoutError:
            continue
        except (ConnectionError, ssl.SSLError):
            return Ended(time.monotonic() - begun, b"")
    raise TimeoutError("nobody minds")


CLIENTS = (
    never_begins_the_handshake,
    drips_its_headers,
    stops_in_its_body,
    drips_its_body,
    drips_its_body_in_http_2,
)
