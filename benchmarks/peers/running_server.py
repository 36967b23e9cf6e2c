"""A server under measurement: started on one core, waited for, and ended with all its processes."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.models import KEPT
from benchmarks.peers.memory import memory_megabytes
from benchmarks.peers.process_tree import Process, hold, kill, let_go, processes_of, turn_of
from benchmarks.peers.roster import ROOT, Peer
from benchmarks.peers.served_model import Setup
from client.address import Address, read_address
from client.load import Workload
from services.launch import free_ports
from services.serving.allocator import KEPT_BYTES

READY_SECONDS = 90.0
STOP_SECONDS = 30.0
SERVER_CORE = "0"
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
FREED_IS_KEPT = dict.fromkeys(("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"), str(KEPT_BYTES))
MEMORY = {"faq": HUGE_PAGES | FREED_IS_KEPT, "resnet": HUGE_PAGES}
"""What has a tuned peer's C library treat memory as our service of that name has its own treat it."""


class ServerFailed(Exception):
    """A server that cannot be measured; the message is one line."""


@dataclass(frozen=True)
class RunningServer:
    """A server that answers.

    Attributes:
        ready_seconds: from its start to its first right answer.
        processes: all that it had started when it was ready.
    """

    address: Address
    process: subprocess.Popen[bytes]
    ready_seconds: float
    processes: Sequence[Process]

    def kill_what_is_left(self) -> None:
        """End the processes that its first one left behind."""
        kill(self.processes)

    def hold(self) -> None:
        """None of its processes does anything from here on."""
        hold(self.process.pid)

    @contextmanager
    def its_turn(self) -> Generator[RunningServer]:
        """Inside the block it does what it does, then it is held again."""
        with turn_of(self.process.pid):
            yield self

    def memory_megabytes(self) -> float:
        """Resident memory of all its processes."""
        return memory_megabytes(self.process.pid)

    def recovers(self, workload: Workload, within: float) -> bool:
        """Whether a single request is answered again in that many seconds."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            with suppress(httpx.HTTPError):
                if _ask(str(self.address), workload, timeout=2.0) == 200:
                    return True
            time.sleep(0.2)
        return False


@contextmanager
def running_server(
    peer: Peer, setup: Setup, workload: Workload, log: Path
) -> Generator[RunningServer]:
    """The server, ready at the start of the block; nothing of it is left at its end.

    Raises:
        ServerFailed: it is not installed, or on another Python than this, ended, or did not answer in time.
    """
    if not peer.is_installed:
        raise ServerFailed(f"not installed: make peers makes .venvs/peers/{peer.name}")
    if not peer.is_of_this_python:
        raise ServerFailed(
            f"not of .venv's Python: remove .venvs/peers/{peer.name}, make peers makes it again"
        )
    began = time.monotonic()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            ["taskset", "--cpu-list", SERVER_CORE, *_command(peer, setup)],
            cwd=ROOT, env=_environment(peer, setup), stdin=subprocess.DEVNULL, stdout=stream,
            stderr=stream, start_new_session=True,
        )  # fmt: skip
    everything = processes_of(process.pid)
    try:
        url = f"http://127.0.0.1:{setup.port}"
        _wait_until_ready(process, url, workload, log)
        ready = time.monotonic() - began
        everything = processes_of(process.pid)
        yield RunningServer(read_address(url), process, ready, everything)
    finally:
        everything += processes_of(process.pid)
        let_go(process.pid)
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        kill(everything)
        process.wait()


def _command(peer: Peer, setup: Setup) -> list[str]:
    if not peer.is_ours:
        return [str(peer.python), "-m", f"benchmarks.peers.{peer.name}"]
    options = ["--port", str(setup.port), "--metrics-port", str(free_ports(1)[0])]
    if setup.is_tuned:
        deadline = str(int(setup.deadline_seconds * 1000))
        options += ["--no-access-log", "--deadline-ms", deadline, "--drain-seconds", "2"]
    module = f"services.{setup.service}"
    return [str(peer.python), "-m", module, "serve", "--model", str(setup.model), *options]


def _environment(peer: Peer, setup: Setup) -> dict[str, str]:
    memory = MEMORY[setup.service] if setup.is_tuned and not peer.is_ours else {}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {
        **os.environ, **threads, **memory, **setup.environment(),
        "PYTHONPATH": str(ROOT), "BENTOML_HOME": str(KEPT / "bentoml"), "BENTOML_DO_NOT_TRACK": "1",
    }  # fmt: skip


def _wait_until_ready(
    process: subprocess.Popen[bytes], url: str, workload: Workload, log: Path
) -> None:
    until = time.monotonic() + READY_SECONDS
    came = "no answer"
    while time.monotonic() < until:
        if process.poll() is not None:
            raise ServerFailed(f"ended with status {process.returncode}: {_last_line(log)}")
        with suppress(httpx.HTTPError):
            status = _ask(url, workload, timeout=10.0)
            if status == 200:
                return
            came = f"status {status}"
        time.sleep(0.05)
    raise ServerFailed(f"not ready in {READY_SECONDS:.0f} s ({came}): {_last_line(log)}")


def _ask(url: str, workload: Workload, *, timeout: float) -> int:
    headers = {"Content-Type": workload.content_type}
    answer = httpx.post(
        f"{url}{workload.path}", content=workload.bodies[0], headers=headers, timeout=timeout
    )
    return answer.status_code


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else "its log is empty"
