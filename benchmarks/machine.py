"""What a benchmark ran on."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

from services.serving.cpu import available_cpus

PACKAGES = ("httptools", "flask", "scikit-learn", "onnxruntime", "torch", "lightgbm")


def describe_machine() -> str:
    """Processor, system and versions, in one line."""
    memory = int(_first_value(Path("/proc/meminfo"), "MemTotal").split()[0]) / (1 << 20)
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{available_cpus()} × {_first_value(Path('/proc/cpuinfo'), 'model name')}, "
        f"{memory:.0f} GiB, Linux, Python {platform.python_version()}; {packages}"
    )


def resident_megabytes(pid: int) -> float:
    """Resident memory of a process and its children in MB; pages that they share count for each."""
    pids = [pid, *_children(pid)]
    kilobytes = sum(
        int(_first_value(Path(f"/proc/{each}/status"), "VmRSS").split()[0]) for each in pids
    )
    return kilobytes * 1024 / 1e6


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()]


def _first_value(path: Path, key: str) -> str:
    for line in path.read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    raise ValueError(f"{path} has no {key}")
