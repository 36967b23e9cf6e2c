"""A listener in a thread of the test's process, and a site that does what each request's path says."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qs

from services.launch import free_ports
from services.serving.http.exchange import Exchange, Send, Site
from services.serving.http.limits import Patience
from services.serving.http.listener import Listener
from services.serving.http.message import Address, Head, Reply, problem_reply
from services.serving.problem import Problem
from tests.services.serving.live_service import Wire, head

MOST_BYTES = 1 << 20
LONG = Patience(body=20, head=20, idle=20, write=20, linger=5)
WITHIN = 10.0

T = TypeVar("T")


def get(path: str, **headers: str) -> bytes:
    """A request without a body."""
    return head("GET", path, headers)


def post(path: str, body: bytes, length: int | None = None, **headers: str) -> bytes:
    """A request with a body, or with the beginning of one of that length."""
    return head("POST", path, headers, len(body) if length is None else length) + body


def post_chunked(path: str, *pieces: bytes, **headers: str) -> bytes:
    """A request with a body in these chunks, not ended."""
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return head("POST", path, {"Transfer-Encoding": "chunked", **headers}) + chunks


def until(condition: Callable[[], bool], within: float = WITHIN) -> bool:
    """Whether a condition comes true in time."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


class ScriptedExchange:
    """Notes what it is told; answers at once, or when the test wants it."""

    def __init__(self, site: ScriptedSite, head: Head, send: Send) -> None:
        options = {name: values[0] for name, values in parse_qs(head.query).items()}
        self.head = head
        self.most_bytes = int(options.get("most", MOST_BYTES))
        self.told: list[str] = []
        self.body = b""
        self._site = site
        self._send = send
        self._size = int(options.get("size", 0))

    def receive(self, body: bytes) -> None:
        self.told.append("receive")
        self.body = body
        if not self.head.path.startswith("/held"):
            self.reply()

    def fail(self, problem: Problem) -> None:
        self.told.append(f"fail {problem.status}")
        if self.head.path.startswith("/broken"):
            raise RuntimeError("the application is broken")
        if not self.head.path.startswith("/held"):
            self._send(problem_reply(problem, self.head.path))

    def abandon(self) -> None:
        self.told.append("abandon")

    def reply(self, *headers: tuple[str, str]) -> None:
        """Answer with the path and the body; used on the loop."""
        text = self.head.path.encode() + b" " + self.body
        self._send(Reply(200, list(headers), bytes(self._size) or text))

    def reply_later(self, *headers: tuple[str, str]) -> None:
        """Answer from the test's thread."""
        self._site.loop.call_soon_threadsafe(self.reply, *headers)


class ScriptedSite:
    """A path that begins with ``/held`` is answered by the test, ``/refused`` before the body is looked
    at, any other one once the body is there. Queries: ``most`` bytes of body, ``size`` of the reply.

    While it ``is_at_capacity``, a target that begins with ``/full`` is refused without being opened.
    """

    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        self.exchanges: list[ScriptedExchange] = []
        self.is_at_capacity = False

    def open(self, head: Head, send: Send) -> Exchange:
        exchange = ScriptedExchange(self, head, send)
        self.exchanges.append(exchange)
        if head.path.startswith("/refused"):
            send(problem_reply(Problem(503, "Come back later.")))
        return exchange

    def refusal(self, target: bytes) -> Reply | None:
        if not target.startswith(b"/full"):
            return None
        _, _, size = target.partition(b"?size=")
        return Reply(503, [], bytes(int(size or 0)) or target)

    def refuse(self, problem: Problem, client: Address) -> Reply:
        assert client[0] == "127.0.0.1"
        return problem_reply(problem)

    @property
    def paths(self) -> list[str]:
        """What was opened, in this order."""
        return [exchange.head.path for exchange in self.exchanges]

    def opened(self, path: str) -> ScriptedExchange:
        """The exchange of a path, once it is opened."""
        assert until(lambda: path in self.paths), f"{path} was never opened"
        return self.exchanges[self.paths.index(path)]


@dataclass
class Served:
    """A listener at work."""

    port: int
    loop: asyncio.AbstractEventLoop
    listener: Listener
    draining: threading.Event = field(default_factory=threading.Event)
    faults: list[dict[str, Any]] = field(default_factory=list)

    def wire(self, timeout: float = WITHIN) -> Wire:
        return Wire(self.port, timeout)

    def on_loop(self, work: Callable[[], Awaitable[T]]) -> T:
        """What a coroutine of the listener's loop returns."""

        async def run() -> T:
            return await work()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(30)

    def close(self, within_seconds: float = 5) -> None:
        self.on_loop(lambda: self.listener.close(within_seconds))


@contextmanager
def serving(site: Site, patience: Patience = LONG) -> Iterator[Served]:
    """A site behind a listener on a free port; no exception may reach the event loop."""
    loop = asyncio.new_event_loop()
    draining = threading.Event()
    if isinstance(site, ScriptedSite):
        site.loop = loop
    served = Served(
        free_ports(1)[0], loop, Listener(site, patience, is_draining=draining.is_set), draining
    )
    loop.set_exception_handler(lambda _, context: served.faults.append(context))
    thread = threading.Thread(target=loop.run_forever, name="loop")
    thread.start()
    try:
        served.on_loop(lambda: served.listener.open("127.0.0.1", served.port))
        yield served
        served.close(0)
    finally:
        served.on_loop(_cancel_all)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    assert served.faults == []


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
