"""One keep-alive connection with one request on it at a time.

httptools (llhttp) on a bare asyncio protocol takes a third of the processor time of a general
client, which matters where the generator shares a machine with what it measures.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

import httptools

from client.load.recording import Outcome

ANSWER_LIMIT = 16 << 20
FREE = -1


class ConnectionListener(Protocol):
    """Who hears of a connection's events."""

    def opened(self, connection: Connection) -> None:
        """The connection is open and free."""
        ...

    def answered(self, connection: Connection, number: int, outcome: int) -> None:
        """A request ended; the connection is free if it is not closing."""
        ...

    def lost(self, connection: Connection) -> None:
        """The connection is gone; called once, after the request on it ended."""
        ...


class Connection(asyncio.Protocol):
    """Sends requests and reads only as much of the answers as a load test needs.

    Attributes:
        number: the request under way, ``FREE`` for none.
        expires: when that request is to be given up, on the event loop's clock.
        closing: no more requests can be sent.
    """

    def __init__(self, listener: ConnectionListener) -> None:
        self.number = FREE
        self.expires = 0.0
        self.closing = False
        self._listener = listener
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._received = 0
        self._headers_complete = False
        self._has_length = False

    def send(self, number: int, request: bytes, expires: float) -> None:
        """Send a request; the connection must be open and free."""
        if self._transport is None:
            raise RuntimeError("the connection is not open")
        self.number = number
        self.expires = expires
        self._received = 0
        self._headers_complete = False
        self._has_length = False
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(request)

    def give_up(self, outcome: Outcome) -> None:
        """End the request under way, if any, and the connection with it."""
        self.closing = True
        self._finish(outcome)
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast("asyncio.Transport", transport)
        self._listener.opened(self)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        if self._parser is None:
            self.give_up(Outcome.NOT_HTTP)
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.give_up(Outcome.NOT_HTTP)
            return
        if self._received > ANSWER_LIMIT:
            self.give_up(Outcome.NOT_HTTP)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """Called by asyncio."""
        self.closing = True
        if self._parser is not None and self._headers_complete and not self._has_length:
            # An answer without a length ends with the connection (RFC 9112 section 6.3).
            self._finish(self._parser.get_status_code())
        else:
            self._finish(Outcome.CONNECTION_FAILED)
        self._listener.lost(self)

    def on_header(self, name: bytes, _value: bytes) -> None:
        """Called by the parser."""
        if len(name) in (14, 17) and name.lower() in (b"content-length", b"transfer-encoding"):
            self._has_length = True

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self._headers_complete = True

    def on_message_complete(self) -> None:
        """Called by the parser."""
        parser = self._parser
        if parser is None or parser.get_status_code() < 200:
            return
        if not parser.should_keep_alive():
            self.closing = True
        self._finish(parser.get_status_code())
        if self.closing and self._transport is not None:
            self._transport.close()

    def _finish(self, outcome: int) -> None:
        number, self.number, self._parser = self.number, FREE, None
        if number != FREE:
            self._listener.answered(self, number, outcome)
