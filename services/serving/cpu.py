"""How many CPUs this process may use: affinity and cgroup quota, not the machine's count.

Threads beyond a container's quota make OpenMP 20 to 30 times slower, because its barriers spin
while the quota is used up; so every thread count of a service starts here.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
"""In which groups this process is."""

Hierarchy = tuple[Path, Callable[[Path], float | None], str]

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def available_cpus(cgroup: Path = CGROUP, membership: Path = MEMBERSHIP) -> int:
    """CPUs that this process may use, at least one; a fractional quota is rounded up."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = cgroup_quota(cgroup, membership)
    return max(1, min(affinity or 1, math.ceil(quota)) if quota else affinity or 1)


def cgroup_quota(cgroup: Path = CGROUP, membership: Path = MEMBERSHIP) -> float | None:
    """CPUs that the container's limit grants; None: no limit.

    A group's limit holds for all groups within it, so the least of this process's group and those
    around it counts, as far as they are mounted: a container sees its own as the root, unless it
    shares the machine's cgroup namespace. Version 2 has ``cpu.max``, version 1 two files in the
    hierarchy of the controller ``cpu`` (cgroups(7); Linux, admin-guide/cgroup-v2).
    """
    quotas = [
        quota
        for root, read, path in _hierarchies(cgroup, membership)
        for folder in _with_parents(root, path)
        if (quota := read(folder)) is not None
    ]
    return min(quotas, default=None)


def _hierarchies(cgroup: Path, membership: Path) -> list[Hierarchy]:
    """Each hierarchy that may limit CPUs: its mount, how to read it, this process's path in it."""
    paths = {"": "/", "cpu": "/"}
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, controllers, path = line.split(":", 2) if line.count(":") >= 2 else ("", "none", "/")
        for controller in controllers.split(","):
            if controller in paths:
                paths[controller] = path
    return [
        (cgroup, _quota_of_version_2, paths[""]),
        (cgroup / "unified", _quota_of_version_2, paths[""]),
        (cgroup / "cpu", _quota_of_version_1, paths["cpu"]),
        (cgroup / "cpu,cpuacct", _quota_of_version_1, paths["cpu"]),
    ]


def _with_parents(root: Path, path: str) -> list[Path]:
    """The group's folder and those around it, up to the mount; of a path outside it, the mount."""
    parts = [part for part in path.split("/") if part]
    if ".." in parts:
        return [root]
    return [root.joinpath(*parts[:count]) for count in range(len(parts) + 1)]


def _quota_of_version_2(folder: Path) -> float | None:
    try:
        limit, period = (folder / "cpu.max").read_text().split()
        return None if limit == "max" else int(limit) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _quota_of_version_1(folder: Path) -> float | None:
    try:
        quota = int((folder / "cpu.cfs_quota_us").read_text())
        period = int((folder / "cpu.cfs_period_us").read_text())
        return quota / period if quota > 0 and period > 0 else None
    except (OSError, ValueError):
        return None


def limit_native_threads(threads: int) -> None:
    """Bound the thread pools of native libraries; to be called before they are imported."""
    for variable in THREAD_VARIABLES:
        os.environ.setdefault(variable, str(threads))
