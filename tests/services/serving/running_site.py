"""A site behind a real port, in this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from services.serving.http.exchange import Site
from services.serving.http.limits import Patience
from services.serving.http.listener import Listener
from tests.services.serving.live_service import free_ports


@contextmanager
def running(site: Site) -> Iterator[str]:
    """Serve ``site`` from a thread, and give its address."""
    port = free_ports(1)[0]
    opened = threading.Event()
    loop = asyncio.new_event_loop()
    ending = asyncio.Event()

    async def serve() -> None:
        listener = Listener(site, Patience(body=5), is_draining=lambda: False)
        await listener.open("127.0.0.1", port)
        opened.set()
        await ending.wait()
        await listener.close(5)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert opened.wait(10)
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join()
        loop.close()
