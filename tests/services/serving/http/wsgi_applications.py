"""Small WSGI applications behind a real listener."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from services.serving.http.wsgi import BODY_PROBLEM, WsgiSite
from services.serving.problem import Problem
from tests.services.serving.http.scripted_site import Served, serving
from tests.services.serving.live_service import Answer

MOST_BYTES = 1000


class Recorder:
    """An application that notes its environments and answers with the body, or with its problem."""

    def __init__(self) -> None:
        self.environs: list[WSGIEnvironment] = []

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        self.environs.append(environ)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        problem = environ.get(BODY_PROBLEM)
        if isinstance(problem, Problem):
            start(f"{problem.status} Problem", [("Content-Type", "text/plain")])
            return [problem.detail.encode()]
        start("200 OK", [("Content-Type", "text/plain"), ("X-A", "1"), ("X-A", "2")])
        return [b"got ", body]


@contextmanager
def wsgi(application: WSGIApplication, **options: Any) -> Iterator[Served]:
    options = {"threads": 2, "most_bytes": MOST_BYTES, **options}
    with serving(WsgiSite(application, **options)) as served:
        yield served


class Gate:
    """An application whose answers wait."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.inside = 0
        self.most_inside = 0
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if BODY_PROBLEM in environ:
            return Recorder()(environ, start)
        with self._lock:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        self.open.wait(20)
        with self._lock:
            self.inside -= 1
        return Recorder()(environ, start)


def ask(served: Served, sent: bytes, method: str = "POST") -> Answer:
    with served.wire() as wire:
        wire.send(sent)
        return wire.read(method)
