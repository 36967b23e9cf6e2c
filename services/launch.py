"""Starting a service in a process of its own and waiting until it is ready."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
READY_SECONDS = 120.0
STOP_SECONDS = 20.0
PORTS = range(22_000, 32_000)
"""Below those that systems hand out themselves (Linux from 32768, others from 49152: RFC 6335, 6), of which
one that is free may be anybody's before the service listens, and then answers in its place."""
_CHANCE = random.SystemRandom()
"""Of the system, since two processes with one seed would choose the same."""


class LaunchFailed(Exception):
    """A service that did not become ready; the message is one line."""


@dataclass(frozen=True)
class LaunchedService:
    """A service that runs in a process of its own."""

    name: str
    url: str
    metrics_url: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_line(self) -> str:
        """The last line of its log."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "its log is empty"

    def wait_until_ready(self) -> None:
        """Return once ``/readyz`` says yes.

        Raises:
            LaunchFailed: the process ended, or was not ready in time.
        """
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise LaunchFailed(f"{self.name} did not start: {self.last_line()}")
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return
            time.sleep(0.1)
        raise LaunchFailed(f"{self.name} was not ready in {READY_SECONDS:.0f} s; see {self.log}")

    def stop(self) -> int:
        """Ask it to end, wait, and return its exit status."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def launch(
    module: str,
    *options: str | Path,
    log_folder: Path,
    port: int = 0,
    metrics_port: int = 0,
    cpus: Sequence[int] = (),
    python: str | Path = sys.executable,
) -> LaunchedService:
    """Start ``python -m module serve`` with ``options``; port 0 takes a free one.

    Args:
        log_folder: where its output goes, to a file named after the service and its port.
        cpus: the processors it may use; empty for all.
        python: the interpreter, of the environment that has what the service needs.
    """
    name = module.rsplit(".", 1)[-1]
    free = iter(free_ports(2))
    port = port or next(free)
    metrics_port = metrics_port or next(free)
    log = log_folder / f"{name}-{port}.log"
    ports = ("--port", str(port), "--metrics-port", str(metrics_port))
    pin = ("taskset", "--cpu-list", ",".join(map(str, cpus))) if cpus else ()
    with log.open("wb") as stream:
        # A session of its own, so that Ctrl-C reaches only the process that launched it.
        process = subprocess.Popen(
            [*pin, str(python), "-m", module, "serve", *ports, *map(str, options)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    return LaunchedService(
        name, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics_port}", process, log
    )


@contextmanager
def running(
    module: str,
    *options: str | Path,
    log_folder: Path,
    cpus: Sequence[int] = (),
    python: str | Path = sys.executable,
) -> Generator[LaunchedService]:
    """A service on free ports, ready at the start of the block and stopped at its end."""
    service = launch(module, *options, log_folder=log_folder, cpus=cpus, python=python)
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.stop()


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nothing listens on at the moment, of :data:`PORTS`."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            port = _CHANCE.choice(PORTS)
            probe = held.enter_context(socket.socket())
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                found.append(port)
    return found
