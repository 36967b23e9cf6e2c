"""The requests of one connection as they arrive.

httptools (the parser of Node.js) says what was received; this only keeps it in order.
"""

from __future__ import annotations

import time
from collections import deque

import httptools

from services.serving.http.exchange import Exchange
from services.serving.http.limits import (
    DISCARDED_BYTES,
    MOST_HEAD_BYTES,
    MOST_HEADERS,
    MOST_WAITING,
)
from services.serving.http.message import Address, BadHead, Head, read_head
from services.serving.problem import Problem

NOT_VALID = "This is not valid HTTP."
CHUNKED = 8
"""Most bytes that one byte of a body may take; the rest would be trailers, which the parser keeps."""


class Message:
    """A request as far as it has arrived, and what became of it.

    Attributes:
        pieces: of its body, until somebody has taken them.
        received: bytes of its body.
        complete: whether all of its body has arrived.
        deadline: when (``time.monotonic``) its body must have arrived, once it was opened.
        exchange: what makes the reply; None before it is opened and once it is replied to.
        delivered: whether the exchange was given the body, or told that there is none.
    """

    __slots__ = (
        "complete", "deadline", "delivered", "exchange", "head", "opened", "pieces", "received",
        "replied",
    )  # fmt: skip

    def __init__(self, head: Head) -> None:
        self.head = head
        self.pieces: list[bytes] = []
        self.received = 0
        self.complete = False
        self.deadline = 0.0
        self.opened = False
        self.exchange: Exchange | None = None
        self.delivered = False
        self.replied = False

    @property
    def can_be_finished(self) -> bool:
        """Whether what is left of the body is so little that it can be read and forgotten."""
        if self.complete:
            return True
        if self.head.declared is None or self.head.expects_continue:
            return False
        return self.head.declared - self.received <= DISCARDED_BYTES


class Arriving:
    """Turns bytes into messages.

    Args:
        client: where they come from.
        server: where they go to.
        head_seconds: how long a head may take.

    Attributes:
        messages: those that are not answered yet, the next one to be answered first.
        fault: why nothing that follows can be understood.
        head_deadline: when the head that is arriving must be there; None where none is.
    """

    def __init__(self, client: Address, server: Address, head_seconds: float) -> None:
        self.messages: deque[Message] = deque()
        self.fault: Problem | None = None
        self.head_deadline: float | None = None
        self._client = client
        self._server = server
        self._head_seconds = head_seconds
        self._head_bytes = 0
        self._body_bytes = 0
        self._target = b""
        self._pairs: list[tuple[bytes, bytes]] = []
        self._message: Message | None = None
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes | memoryview) -> None:
        """Take bytes; they are not needed afterwards."""
        head_before, message_before = self.head_deadline, self._message
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            cause = error.__context__ if isinstance(error.__context__, BadHead) else None
            self.fault = Problem(400, f"This is not valid HTTP: {cause}." if cause else NOT_VALID)
            self.head_deadline = None
        # Of a piece in which something begins nobody knows how much belongs to it: it is not counted.
        if self.head_deadline is not None and self.head_deadline == head_before:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self.fault = Problem(431, "The head of the request is too large.")
        elif self._message is not None and self._message is message_before:
            self._body_bytes += len(data)
            if self._body_bytes > MOST_HEAD_BYTES + CHUNKED * self._message.received:
                self.fault = Problem(400, NOT_VALID)

    def _parse(self, data: bytes | memoryview) -> None:
        while data:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = self._without_upgrade() + data[upgrade.args[0] :]
                self._parser = httptools.HttpRequestParser(self)
            else:
                return

    def _without_upgrade(self) -> bytes:
        """The head of the last request once more, without the wish for another protocol.

        No other one is spoken, so the wish is passed over (RFC 9110 section 7.8); but the parser
        takes what follows such a head for the other protocol, the request's body with it.
        """
        head = self.messages.pop().head
        line = f"{head.method} ".encode() + self._target + f" HTTP/{head.version}\r\n".encode()
        kept = [pair for pair in self._pairs if pair[0].lower() not in (b"upgrade", b"connection")]
        if "close" in head.headers.get("connection").lower().replace(",", " ").split():
            kept.append((b"Connection", b"close"))
        return line + b"".join(b"%b: %b\r\n" % pair for pair in kept) + b"\r\n"

    # The callbacks of httptools

    def on_message_begin(self) -> None:
        """A request begins."""
        if len(self.messages) > MOST_WAITING:
            raise BadHead("too many requests are sent before the first is answered")
        self._target = b""
        self._pairs = []
        self._head_bytes = 0
        self.head_deadline = time.monotonic() + self._head_seconds

    def on_url(self, url: bytes) -> None:
        """A part of its target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its headers, or of the trailers of its body, which are passed over."""
        if self.head_deadline is None:
            return
        self._pairs.append((name, value))
        if len(self._pairs) > MOST_HEADERS:
            raise BadHead(f"there are more than {MOST_HEADERS} headers")

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self.head_deadline = None
        parser = self._parser
        method = parser.get_method().decode("latin-1")
        if method == "CONNECT":
            raise BadHead("this is no proxy")
        head = read_head(
            method,
            self._target,
            self._pairs,
            version=parser.get_http_version(),
            keep_alive=parser.should_keep_alive(),
            client=self._client,
            server=self._server,
        )
        self._body_bytes = 0
        self._message = Message(head)
        self.messages.append(self._message)

    def on_body(self, body: bytes) -> None:
        """A part of its body."""
        message = self._message
        if message is not None:
            message.received += len(body)
            if not message.replied and not message.delivered:
                message.pieces.append(body)

    def on_message_complete(self) -> None:
        """All of it is there."""
        if self._message is not None:
            self._message.complete = True
            self._message = None
