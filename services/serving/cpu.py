"""How many CPUs this process may use: affinity and cgroup quota, not the machine's count.

Threads beyond a container's quota make OpenMP 20 to 30 times slower, because its barriers spin
while the quota is used up; so every thread count of a service starts here.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def available_cpus(cgroup: Path = CGROUP) -> int:
    """CPUs that this process may use, at least one; a fractional quota is rounded up."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = cgroup_quota(cgroup)
    return max(1, min(affinity or 1, math.ceil(quota)) if quota else affinity or 1)


def cgroup_quota(cgroup: Path = CGROUP) -> float | None:
    """CPUs that the container's limit grants, from cgroup v2 ``cpu.max`` or v1; None: no limit."""
    try:
        limit, period = (cgroup / "cpu.max").read_text().split()
        return None if limit == "max" else int(limit) / int(period)
    except (OSError, ValueError):
        pass
    try:
        quota = int((cgroup / "cpu" / "cpu.cfs_quota_us").read_text())
        period_us = int((cgroup / "cpu" / "cpu.cfs_period_us").read_text())
        return quota / period_us if quota > 0 and period_us > 0 else None
    except (OSError, ValueError):
        return None


def limit_native_threads(threads: int) -> None:
    """Bound the thread pools of native libraries; to be called before they are imported."""
    for variable in THREAD_VARIABLES:
        os.environ.setdefault(variable, str(threads))
