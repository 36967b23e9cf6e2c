"""What one batch has freed, the next one gets without asking the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

TAKE_AND_FREE = """
import resource, sys
import numpy as np
from services.serving.allocator import keep_freed_memory

def batches():
    for _ in range(50):
        arrays = [np.ones(100_000) for _ in range(3)]

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    batches()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

kept = sys.argv[1:] == ["keep"] and keep_freed_memory()
batches()
print(int(kept), faults())
"""

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")


def run(*arguments: str, **environment: str) -> tuple[bool, int]:
    """Whether memory is kept, and how many pages the system gave for fifty batches."""
    done = subprocess.run(
        [sys.executable, "-c", TAKE_AND_FREE, *arguments],
        env={"PYTHONPATH": ":".join(sys.path), "OPENBLAS_NUM_THREADS": "1", **environment},
        capture_output=True,
        check=True,
        text=True,
    )
    kept, faults = done.stdout.split()
    return kept == "1", int(faults)


def test_freed_memory_is_used_again() -> None:
    kept, faults = run("keep")
    assert kept
    assert faults < 200


def test_without_it_the_system_is_asked_each_time() -> None:
    assert run()[1] > 5_000


@pytest.mark.parametrize("variable", ["MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"])
def test_whoever_has_decided_otherwise_is_left_alone(variable: str) -> None:
    kept, _ = run("keep", **{variable: "100000"})
    assert not kept
