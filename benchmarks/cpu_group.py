"""A group of processes that the kernel gives one CPU's time, as it does a container's."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from services.serving.cpu import CGROUP, MEMBERSHIP

PERIOD_MICROSECONDS = 100_000
NAME = "realtime-scoring-benchmark"


@dataclass(frozen=True)
class CpuGroup:
    """A control group whose limit is one CPU (cgroups(7)).

    Attributes:
        folder: the group, which processes join by their id in its ``cgroup.procs``.
        home: the group of this process.
    """

    folder: Path
    home: Path

    @contextmanager
    def joined(self) -> Generator[None]:
        """Be in the group while the block lasts; what is started in it stays there."""
        _join(self.folder)
        try:
            yield
        finally:
            _join(self.home)


@contextmanager
def one_cpu() -> Generator[CpuGroup | None]:
    """A group of one CPU, removed afterwards; None where this machine lets nobody make one."""
    group = _made(CGROUP / "cpu" / _path("cpu"), _version_1) or _made(
        CGROUP / _path(""), _version_2
    )
    try:
        yield group
    finally:
        if group is not None:
            # A service that had to be killed leaves the group a moment after its end.
            with suppress(OSError):
                group.folder.rmdir()


def _made(home: Path, limit: Callable[[Path], None]) -> CpuGroup | None:
    folder = home / f"{NAME}-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError:
        return None
    try:
        limit(folder)
    except OSError:
        folder.rmdir()
        return None
    return CpuGroup(folder, home)


def _version_1(folder: Path) -> None:
    (folder / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
    (folder / "cpu.cfs_quota_us").write_text(str(PERIOD_MICROSECONDS))


def _version_2(folder: Path) -> None:
    (folder / "cpu.max").write_text(f"{PERIOD_MICROSECONDS} {PERIOD_MICROSECONDS}")


def _path(controller: str) -> str:
    """This process's path in the hierarchy that has the controller; empty for version 2's."""
    with suppress(OSError):
        for line in MEMBERSHIP.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controller in controllers.split(","):
                return path.lstrip("/")
    return ""


def _join(group: Path) -> None:
    (group / "cgroup.procs").write_text(str(os.getpid()))
