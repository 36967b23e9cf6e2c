"""One connection: requests in their order, replies to bytes, and how long each may take.

Requests that are sent before the one in front is answered wait, and no more is read meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from services.serving.body import cut_short, too_large, too_slow
from services.serving.http.arriving import Arriving, Message
from services.serving.http.exchange import Exchange
from services.serving.http.message import Address, Head, Reply, encode_reply
from services.serving.problem import Problem

if TYPE_CHECKING:
    from services.serving.http.listener import Listener

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(asyncio.BufferedProtocol):
    """See the module; made by a :class:`services.serving.http.listener.Listener`.

    Attributes:
        deadline: when (``time.monotonic``) the connection's patience is over; None: it waits for
            nothing but its own application.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._patience = listener.patience
        self._advancing = False
        self._lingering = False
        self._writable = True
        self._reading = True
        self.deadline: float | None = None

    # asyncio.BufferedProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client has connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._arriving = Arriving(
            _address(transport.get_extra_info("peername")),
            _address(transport.get_extra_info("sockname")),
            self._patience.head,
        )
        self._messages = self._arriving.messages
        self.deadline = time.monotonic() + self._patience.head
        self._listener.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """The connection is over, whoever ended it: nobody waits for its replies."""
        self._listener.remove(self)
        for message in tuple(self._messages):
            exchange, message.exchange = message.exchange, None
            message.replied = True
            if exchange is not None:
                exchange.abandon()
        self._messages.clear()

    def eof_received(self) -> bool:
        """The client sends no more, and is taken to be gone, as most servers do.

        Only one that stopped in the middle of a body is told so.
        """
        first = self._first
        if self._lingering or first is None or first.complete or first.replied:
            return False
        self._fail(first, cut_short())
        return True

    def pause_writing(self) -> None:
        """The client does not read what it is sent."""
        self._writable = False
        self.deadline = time.monotonic() + self._patience.write

    def resume_writing(self) -> None:
        """The client has read most of what it was sent."""
        self._writable = True
        self._advance()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's name
        """Where the next bytes are put."""
        return self._listener.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes of requests have come, of which nothing is left in the buffer afterwards."""
        if self._lingering or self._arriving.fault is not None:
            return
        data = self._listener.buffer[:nbytes]
        if self._listener.site.is_at_capacity and self._refuse_at_a_glance(data):
            return
        self._arriving.feed(data)
        self._advance()

    # What the listener asks for

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return not self._messages and self._arriving.head_deadline is None

    def expire(self) -> None:
        """The patience is over."""
        first = self._first
        if self._lingering or not self._writable or (first is not None and first.replied):
            self._transport.abort()
        elif first is not None:
            self._fail(first, too_slow())
        elif self._arriving.head_deadline is not None:
            self._arriving.fault = Problem(408, "The head of the request took too long to arrive.")
            self._advance()
        else:
            self._transport.close()

    def close(self) -> None:
        """End the connection once what has been written is sent."""
        self._lingering = True
        self.deadline = time.monotonic() + self._patience.write
        self._transport.close()

    # Requests in their order

    def _refuse_at_a_glance(self, data: memoryview) -> bool:
        """Refuse what can be refused without a closer look; returns whether that was done."""
        listener = self._listener
        if not self.is_idle or not self._writable or listener.is_draining():
            return False
        target = listener.glance.target_of(data)
        reply = listener.site.refusal(target) if target is not None else None
        if reply is None:
            return False
        # Before it is written: a client that does not read it gets another deadline by that.
        self.deadline = time.monotonic() + self._patience.idle
        self._write(reply, None, ends_connection=False)
        return True

    @property
    def _first(self) -> Message | None:
        return self._messages[0] if self._messages else None

    def _advance(self) -> None:
        """Do what can be done now: open requests, hand over bodies, go on behind what is answered."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._messages and self._writable and not self._lingering:
                message = self._messages[0]
                if not message.replied:
                    self._serve(message)
                if not (message.replied and message.complete):
                    break
                if not self._lingering:
                    self._messages.popleft()
        finally:
            self._advancing = False
        fault = self._arriving.fault
        if fault is not None and not self._lingering:
            self._deal_with(fault)
        if not self._lingering and not self._transport.is_closing():
            self._wait()

    def _serve(self, message: Message) -> None:
        if not message.opened:
            self._open(message)
        exchange = message.exchange
        if exchange is None or message.delivered:
            return
        if not exchange.most_bytes:
            self._deliver(message, exchange, b"")
        elif max(message.received, message.head.declared or 0) > exchange.most_bytes:
            self._fail(message, too_large(exchange.most_bytes))
        elif message.complete:
            self._deliver(message, exchange, b"".join(message.pieces))

    def _open(self, message: Message) -> None:
        message.opened = True
        message.deadline = time.monotonic() + self._patience.body
        exchange = self._listener.site.open(message.head, lambda reply: self._reply(message, reply))
        if message.replied:
            return
        message.exchange = exchange
        if message.head.expects_continue and not message.received:
            declared = 1 if message.head.declared is None else message.head.declared
            if 0 < declared <= exchange.most_bytes:
                self._transport.write(CONTINUE)

    @staticmethod
    def _deliver(message: Message, exchange: Exchange, body: bytes) -> None:
        message.delivered = True
        message.pieces.clear()
        exchange.receive(body)

    @staticmethod
    def _fail(message: Message, problem: Problem) -> None:
        if message.delivered:
            return
        message.delivered = True
        message.pieces.clear()
        if message.exchange is not None:
            message.exchange.fail(problem)

    def _deal_with(self, fault: Problem) -> None:
        """After a fault nothing that follows can be understood: what came before it is answered."""
        first = self._first
        if first is None:
            client = _address(self._transport.get_extra_info("peername"))
            self._write(self._listener.site.refuse(fault, client), None, ends_connection=True)
            self._linger()
        elif not first.complete and not first.replied and not first.delivered:
            self._fail(
                first, Problem(400, "The body is not valid HTTP.", headers={"Connection": "close"})
            )

    def _wait(self) -> None:
        """Set until when the client has to do its part, and whether more of it is read."""
        arriving, messages = self._arriving, self._messages
        self._read(self._writable and len(messages) < 2 and arriving.fault is None)
        if not self._writable:
            return
        if messages:
            first = messages[0]
            self.deadline = None if first.complete else first.deadline
        elif arriving.head_deadline is not None:
            self.deadline = arriving.head_deadline
        else:
            self.deadline = time.monotonic() + self._patience.idle

    def _read(self, wanted: bool) -> None:
        if wanted != self._reading:
            self._reading = wanted
            (self._transport.resume_reading if wanted else self._transport.pause_reading)()

    # Replies

    def _reply(self, message: Message, reply: Reply) -> None:
        if message.replied:
            return
        message.replied = True
        message.exchange = None
        message.pieces.clear()
        if self._transport.is_closing():
            return
        ends = (
            not message.head.keep_alive
            or not message.can_be_finished
            or reply.ends_connection
            or self._listener.is_draining()
        )
        self._write(reply, message.head, ends_connection=ends)
        if not ends:
            self._advance()
        elif message.complete and self._messages[-1] is message:
            self.close()
        else:
            self._linger()

    def _write(self, reply: Reply, head: Head | None, *, ends_connection: bool) -> None:
        self._transport.write(
            encode_reply(
                reply,
                date=self._listener.date(),
                version=head.version if head else "1.1",
                ends_connection=ends_connection,
                without_body=head is not None and head.method == "HEAD",
            )
        )

    def _linger(self) -> None:
        """Send no more, and take what the client still sends for a while without looking at it.

        A connection that is closed with bytes unread is reset, and the client may not see the reply.
        """
        self._lingering = True
        is_unsent = self._transport.get_write_buffer_size() > 0
        patience = self._patience.write if is_unsent else self._patience.linger
        self.deadline = time.monotonic() + patience
        with suppress(OSError, NotImplementedError):
            self._transport.write_eof()
        self._read(True)


def _address(name: object) -> Address:
    """Address and port of an end of a connection, as the socket tells it."""
    if isinstance(name, tuple) and len(cast("tuple[object, ...]", name)) >= 2:
        host, port = cast("tuple[object, ...]", name)[:2]
        return str(host), int(cast("int", port))
    return ("", 0)
