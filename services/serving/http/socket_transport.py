"""The socket of one connection, on asyncio's loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

MOST_UNSENT: Final = 64 << 10
"""Bytes that may wait to be sent before the protocol is told that the client does not read."""
FEW_UNSENT: Final = 16 << 10
"""With so few left it is told that the client reads again."""


class SocketTransport(asyncio.Transport):
    """Sends what it can at once, and has a protocol's buffer filled with what comes.

    asyncio's own begins to read only three rounds of the loop after a connection was accepted. Where the
    loop scores between them, whoever came later on an older connection is answered first. Unlike that
    one this ends, too, where ``pause_writing`` or ``resume_writing`` raises, and where something is written
    after the end of writing.

    Args:
        taken: a socket that does not block.
        peer: the other end's address, as ``accept`` told it.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        taken: socket.socket,
        peer: object,
        protocol: asyncio.BufferedProtocol,
    ) -> None:
        super().__init__({"socket": taken, "peername": peer, "sockname": taken.getsockname()})
        self._loop = loop
        self._socket = taken
        self._descriptor = taken.fileno()
        self._protocol = protocol
        self._unsent = bytearray()
        self._is_reading = True
        self._is_full = False
        self._sends_no_more = False
        # It ends once all is sent; it has ended, which the protocol is told or about to be told.
        self._is_closing = False
        self._is_over = False

    def begin(self) -> None:
        """Tell the protocol, and read what is there already."""
        if self._succeeds(lambda: self._protocol.connection_made(self)) and self.is_reading():
            self._loop.add_reader(self._descriptor, self._read)
            self._read()

    # Reading

    def is_reading(self) -> bool:
        """Whether what comes is read."""
        return self._is_reading and not self._is_closing

    def pause_reading(self) -> None:
        """Leave what comes to the system, which tells the client so once that has much of it."""
        if self.is_reading():
            self._is_reading = False
            self._loop.remove_reader(self._descriptor)

    def resume_reading(self) -> None:
        """Read what comes."""
        if not self._is_reading and not self._is_closing:
            self._is_reading = True
            self._loop.add_reader(self._descriptor, self._read)

    def _read(self) -> None:
        protocol = self._protocol
        try:
            count = self._socket.recv_into(protocol.get_buffer(-1))
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(error)
            return
        try:
            if count:
                protocol.buffer_updated(count)
            elif protocol.eof_received():
                self._loop.remove_reader(self._descriptor)
            else:
                self.close()
        except Exception as error:  # noqa: BLE001 - whatever a protocol raises ends its connection alone
            self._fail(error)

    # Writing

    def get_write_buffer_size(self) -> int:
        """Bytes that wait to be sent."""
        return len(self._unsent)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send what the system takes, and the rest once it takes more."""
        if self._is_over:
            return
        if not self._unsent:
            try:
                sent = self._socket.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError as error:
                self._end(error)
                return
            if sent == len(data):
                return
            data = memoryview(data)[sent:]
            self._loop.add_writer(self._descriptor, self._send)
        self._unsent += data
        if not self._is_full and len(self._unsent) > MOST_UNSENT:
            self._is_full = True
            self._succeeds(self._protocol.pause_writing)

    def write_eof(self) -> None:
        """Tell the client that no more comes, once all is sent."""
        if not self._is_closing and not self._sends_no_more:
            self._sends_no_more = True
            if not self._unsent:
                self._socket.shutdown(socket.SHUT_WR)

    def can_write_eof(self) -> bool:
        """A socket can."""
        return True

    def _send(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(error)
            return
        del self._unsent[:sent]
        if self._is_full and len(self._unsent) <= FEW_UNSENT:
            self._is_full = False
            self._succeeds(self._protocol.resume_writing)
        if self._unsent:
            return
        self._loop.remove_writer(self._descriptor)
        if self._is_closing:
            self._end(None)
        elif self._sends_no_more:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)

    # The end

    def is_closing(self) -> bool:
        """Whether it has been told to end, or has ended."""
        return self._is_closing

    def close(self) -> None:
        """Read no more, and end once all is sent."""
        if self._is_closing:
            return
        self._is_closing = True
        self._loop.remove_reader(self._descriptor)
        if not self._unsent:
            self._end(None)

    def abort(self) -> None:
        """End at once; what is not sent is lost."""
        self._end(None)

    def _end(self, error: Exception | None) -> None:
        if self._is_over:
            return
        self._is_over = self._is_closing = True
        self._unsent.clear()
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)
        # Not in the midst of what the protocol is doing.
        self._loop.call_soon(self._lose, error)

    def _lose(self, error: Exception | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            self._socket.close()
            # Each knows the other: they would be kept until cyclic garbage is collected.
            del self._protocol

    def _succeeds(self, call: Callable[[], object]) -> bool:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - whatever a protocol raises ends its connection alone
            self._fail(error)
            return False
        return True

    def _fail(self, error: Exception) -> None:
        self._loop.call_exception_handler(
            {"message": "a connection failed", "exception": error, "protocol": self._protocol}
        )
        self._end(error)
