"""A process with everything that it started: its memory, and its end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

KILL_SECONDS = 5.0


@dataclass(frozen=True)
class Process:
    """A process that cannot be mistaken for a later one of the same number."""

    pid: int
    started: int

    @property
    def is_there(self) -> bool:
        """Whether it still runs."""
        return _started(self.pid) == self.started


def processes_of(pid: int) -> list[Process]:
    """The process ``pid`` and all its descendants."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            parent = int(_fields(int(folder.name))[1])
            children.setdefault(parent, []).append(int(folder.name))
    found, waiting = [], [pid]
    while waiting:
        each = waiting.pop()
        started = _started(each)
        if started is not None:
            found.append(Process(each, started))
        waiting += children.get(each, [])
    return found


def hold(pid: int) -> None:
    """A process and its descendants do nothing from here on, however busily they wait."""
    _signal(processes_of(pid), signal.SIGSTOP)


def let_go(pid: int) -> None:
    """They go on."""
    _signal(processes_of(pid), signal.SIGCONT)


@contextmanager
def turn_of(pid: int) -> Generator[None]:
    """Inside the block they go on, then they are held again."""
    let_go(pid)
    try:
        yield
    finally:
        hold(pid)


def kill(processes: Sequence[Process]) -> None:
    """End what is left of ``processes`` and wait until it is gone."""
    _signal(processes, signal.SIGKILL)
    until = time.monotonic() + KILL_SECONDS
    while any(each.is_there for each in processes) and time.monotonic() < until:
        time.sleep(0.05)


def _signal(processes: Sequence[Process], number: signal.Signals) -> None:
    for each in processes:
        if each.is_there:
            with suppress(ProcessLookupError):
                os.kill(each.pid, number)


def _started(pid: int) -> int | None:
    """When it started, in ticks since the machine did; None if it is gone or a zombie."""
    try:
        fields = _fields(pid)
    except (OSError, IndexError):
        return None
    return None if fields[0] == "Z" else int(fields[19])


def _fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third, the state, on; the name may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
