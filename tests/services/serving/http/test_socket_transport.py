"""A connection's socket: what comes, what is sent, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import socket
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from services.serving.http.socket_transport import MOST_UNSENT, SocketTransport

Story = Callable[["Told", socket.socket], Awaitable[None]]


class Told(asyncio.BufferedProtocol):
    """Notes what it is told; raises at what is in ``breaks_at``."""

    def __init__(self) -> None:
        self.noted: list[str] = []
        self.breaks_at = ""
        self.keeps_open = False
        self.transport: SocketTransport
        self._buffer = bytearray(64)

    def _note(self, what: str) -> None:
        self.noted.append(what)
        if what == self.breaks_at:
            raise ValueError(what)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._note("made")

    def connection_lost(self, exc: Exception | None) -> None:
        self._note(f"lost {type(exc).__name__}" if exc else "lost")

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._note(self._buffer[:nbytes].decode())

    def eof_received(self) -> bool:
        self._note("end")
        return self.keeps_open

    def pause_writing(self) -> None:
        self._note("full")

    def resume_writing(self) -> None:
        self._note("room")


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection that do not block."""
    listening = socket.create_server(("127.0.0.1", 0))
    with listening, socket.create_connection(listening.getsockname()) as there:
        here, _ = listening.accept()
        for each in (here, there):
            each.setblocking(False)
        with here:
            yield here, there


@pytest.fixture
def tell(ends: tuple[socket.socket, socket.socket]) -> Callable[[Story], list[str]]:
    """What a protocol is told while a story is acted out; exceptions it raised are noted, too."""

    def tell(story: Story) -> list[str]:
        async def run() -> list[str]:
            here, there = ends
            loop, told = asyncio.get_running_loop(), Told()

            def failed(_: object, context: dict[str, Any]) -> None:
                told.noted.append(f"failed {context['exception']}")

            loop.set_exception_handler(failed)
            told.transport = SocketTransport(loop, here, there.getsockname(), told)
            await story(told, there)
            return told.noted

        return asyncio.run(run())

    return tell


async def rounds(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


Tell = Callable[[Story], list[str]]


def test_what_has_come_already_is_read_at_once(tell: Tell) -> None:
    async def story(told: Told, there: socket.socket) -> None:
        there.send(b"hello")
        told.transport.begin()
        assert told.noted == ["made", "hello"]

    tell(story)


def test_what_comes_later_is_read_then(tell: Tell) -> None:
    async def story(told: Told, there: socket.socket) -> None:
        told.transport.begin()
        there.send(b"x" * 100)
        await rounds()

    assert tell(story) == ["made", "x" * 64, "x" * 36]


def test_nothing_is_read_while_it_is_paused(tell: Tell) -> None:
    async def story(told: Told, there: socket.socket) -> None:
        told.transport.begin()
        there.send(b"hello")
        for _ in range(2):
            told.transport.pause_reading()
            assert not told.transport.is_reading()
        await rounds()
        told.noted.append("go on")
        for _ in range(2):
            told.transport.resume_reading()
            assert told.transport.is_reading()
        await rounds()

    assert tell(story) == ["made", "go on", "hello"]


def test_it_ends_where_the_other_end_does(tell: Tell) -> None:
    async def story(told: Told, there: socket.socket) -> None:
        told.transport.begin()
        there.shutdown(socket.SHUT_WR)
        await rounds()
        assert told.transport.is_closing()
        assert there.recv(1) == b""

    assert tell(story) == ["made", "end", "lost"]


def test_it_is_kept_for_an_answer_where_the_protocol_wants_that(tell: Tell) -> None:
    async def story(told: Told, there: socket.socket) -> None:
        told.keeps_open = True
        told.transport.begin()
        there.shutdown(socket.SHUT_WR)
        await rounds()
        told.transport.write(b"bye")
        assert there.recv(9) == b"bye"
        told.transport.close()
        await rounds()

    assert tell(story) == ["made", "end", "lost"]


def test_a_reset_is_told_once(tell: Tell) -> None:
    async def story(told: Told, there: socket.socket) -> None:
        told.transport.begin()
        there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        there.close()
        await rounds()
        told.transport.write(b"x")
        told.transport.close()
        told.transport.abort()
        await rounds()

    assert tell(story) == ["made", "lost ConnectionResetError"]


def fill(told: Told) -> int:
    """Write until some of it waits; returns how much was written."""
    written = 0
    while not told.transport.get_write_buffer_size():
        told.transport.write(b"x" * 100_000)
        written += 100_000
    return written


async def read_all(there: socket.socket, size: int) -> int:
    got = 0
    while got < size:
        try:
            got += len(there.recv(1 << 20))
        except BlockingIOError:
            await asyncio.sleep(0)
    return got


def test_what_the_other_end_does_not_take_waits_and_the_protocol_knows(tell: Tell) -> None:
    async def story(told: Told, there: socket.socket) -> None:
        told.transport.begin()
        for _ in range(2):
            size = fill(told)
            while told.transport.get_write_buffer_size() <= MOST_UNSENT:
                told.transport.write(b"x" * 10_000)
                size += 10_000
            told.transport.write(b"y")
            assert await read_all(there, size + 1) == size + 1
            assert told.transport.get_write_buffer_size() == 0

    assert tell(story) == ["made", "full", "room", "full", "room"]


@pytest.mark.parametrize("how", ["close", "write_eof"])
def test_it_ends_once_all_is_sent(tell: Tell, how: str) -> None:
    async def story(told: Told, there: socket.socket) -> None:
        told.transport.begin()
        size = fill(told)
        for _ in range(2):
            getattr(told.transport, how)()
        await rounds()
        assert "lost" not in told.noted
        await read_all(there, size)
        await rounds()
        assert there.recv(1) == b""
        told.transport.close()
        await rounds()

    assert [each for each in tell(story) if each not in ("full", "room")] == ["made", "lost"]


def test_what_is_not_sent_is_lost_where_it_is_given_up(tell: Tell) -> None:
    async def story(told: Told, there: socket.socket) -> None:
        told.transport.begin()
        size = fill(told)
        told.transport.abort()
        told.transport.write(b"x")
        assert told.transport.get_write_buffer_size() == 0
        descriptor = told.transport.get_extra_info("socket").fileno()
        assert not asyncio.get_running_loop().remove_writer(descriptor), (
            "the next one gets its number"
        )
        assert "lost" not in told.noted, "not in the midst of what the protocol does"
        await rounds()
        got = 0
        with suppress(ConnectionResetError):
            while data := there.recv(1 << 20):
                got += len(data)
        assert got < size

    assert [each for each in tell(story) if each != "full"] == ["made", "lost"]


@pytest.mark.parametrize("breaks_at", ["made", "hello", "end"])
def test_a_protocol_that_fails_is_told_that_it_is_over(tell: Tell, breaks_at: str) -> None:
    async def story(told: Told, there: socket.socket) -> None:
        told.breaks_at = breaks_at
        told.transport.begin()
        there.send(b"hello")
        await rounds()
        with suppress(OSError):
            there.shutdown(socket.SHUT_WR)
        await rounds()
        assert told.transport.is_closing()

    noted = tell(story)
    assert noted[-2:] == [f"failed {breaks_at}", "lost ValueError"]
    assert noted.count(breaks_at) == 1


def test_an_end_that_is_gone_is_noticed_in_writing(tell: Tell) -> None:
    async def story(told: Told, there: socket.socket) -> None:
        told.transport.begin()
        told.transport.pause_reading()
        there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        there.close()
        told.transport.write(b"x")
        assert told.transport.is_closing()
        await rounds()

    assert tell(story) == ["made", "lost ConnectionResetError"]


def test_nothing_is_read_once_it_is_to_end(tell: Tell) -> None:
    async def story(told: Told, there: socket.socket) -> None:
        told.transport.begin()
        size = fill(told)
        told.transport.close()
        told.transport.resume_reading()
        assert not told.transport.is_reading()
        there.send(b"more")
        await rounds()
        await read_all(there, size)
        await rounds()

    assert [each for each in tell(story) if each not in ("full", "room")] == ["made", "lost"]


def test_nothing_is_written_once_it_is_over(tell: Tell) -> None:
    async def story(told: Told, there: socket.socket) -> None:
        told.transport.begin()
        told.transport.abort()
        told.transport.write(b"x")
        await rounds()
        assert there.recv(1) == b""

    assert tell(story) == ["made", "lost"]


def test_it_is_let_go_without_a_collection_of_garbage(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    async def run() -> None:
        here, there = ends
        told = Told()
        told.transport = SocketTransport(asyncio.get_running_loop(), here, None, told)
        told.transport.begin()
        there.close()
        await rounds()
        kept = weakref.ref(told)
        del told
        assert kept() is None

    gc.disable()
    try:
        asyncio.run(run())
    finally:
        gc.enable()
