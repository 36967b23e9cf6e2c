"""A service in a process of its own, and an HTTP client that hides nothing."""

from __future__ import annotations

import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.launch import free_ports

ROOT = Path(__file__).parents[3]
LEVER = "tests.services.serving.lever_service"
ECHO = "tests.services.serving.echo_service"
START_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """One HTTP response, header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """One TCP connection, written byte by byte as the test wants."""

    def __init__(self, port: int, timeout: float = 20) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._stream = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self, method: str = "POST") -> Answer:
        """The next response; raises ConnectionError if the connection ends first."""
        response = http.client.HTTPResponse(_Unclosed(self._stream), method=method)  # type: ignore[arg-type]
        try:
            response.begin()
            body = response.read()
        except (http.client.HTTPException, OSError) as error:
            raise ConnectionError(repr(error)) from error
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, body)

    def is_closed_by_server(self, within: float = 5) -> bool:
        self.socket.settimeout(within)
        try:
            return self._stream.read(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        self._stream.close()
        self.socket.close()

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Unclosed:
    """Gives HTTPResponse the same buffered stream for every response of a connection."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream

    def makefile(self, _mode: str) -> _Unclosed:
        return self

    def close(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def head(
    method: str,
    path: str,
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    length: int | None = None,
) -> bytes:
    """Request line and headers, exactly as given, Host and Content-Length apart."""
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    if not any(name.lower() == "host" for name, _ in pairs):
        pairs.insert(0, ("Host", "127.0.0.1"))
    if length is not None:
        pairs.append(("Content-Length", str(length)))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in pairs)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def pull(*texts: str) -> bytes:
    """The body of a request to the lever service."""
    return json.dumps({"texts": texts}).encode()


JSON = {"Content-Type": "application/json"}


@dataclass
class LiveService:
    """A running service; every request has a connection of its own."""

    port: int
    metrics_port: int
    process: subprocess.Popen[bytes]
    log: Path
    headers: dict[str, str] = field(default_factory=dict)

    def wire(self, timeout: float = 20) -> Wire:
        return Wire(self.port, timeout)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        timeout: float = 20,
    ) -> Answer:
        length = len(body) if body is not None else None
        with self.wire(timeout) as wire:
            wire.send(head(method, path, headers, length) + (body or b""))
            return wire.read(method)

    def get(self, path: str, **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def pull(self, *texts: str, headers: Mapping[str, str] = JSON, timeout: float = 20) -> Answer:
        """Ask the lever service to do what ``texts`` say."""
        return self.request("POST", "/v1/pull", pull(*texts), {**JSON, **headers}, timeout)

    def metrics(self) -> str:
        with Wire(self.metrics_port) as wire:
            wire.send(head("GET", "/metrics", {"Connection": "close"}))
            return wire.read("GET").body.decode()

    def metric(self, name: str) -> float:
        """The value of one sample, such as ``modelsvc_ready``; 0 if it is not there."""
        lines = [line for line in self.metrics().splitlines() if line.startswith(f"{name} ")]
        return float(lines[0].rpartition(" ")[2]) if lines else 0.0

    @property
    def log_text(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def wait_until_ready(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise AssertionError(f"the service ended: {self.log_text}")
            with suppress(OSError):
                if self.get("/readyz").status == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"not ready: {self.log_text}")

    def wait_until_queued(self, items: int, within: float = 10) -> None:
        """Return once that many items are in the house."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            if self.metric("modelsvc_queue_depth") >= items:
                return
            time.sleep(0.02)
        raise AssertionError("the items were not admitted")


@contextmanager
def service(
    folder: Path,
    *options: str | Path | float,
    module: str = LEVER,
    ready: bool = True,
    ports: tuple[int, int] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[LiveService]:
    """``python -m module serve`` with these options, its output in one file."""
    port, metrics_port = ports or tuple(free_ports(2))
    log = folder / f"service-{port}.log"
    arguments = ["--port", port, "--metrics-port", metrics_port, *options]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "serve", *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    live = LiveService(port, metrics_port, process, log)
    try:
        if ready:
            live.wait_until_ready()
        yield live
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started; its session is its own."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(5)
