"""A server's memory is told apart from that of another which reads the same files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.peers.memory import memory_megabytes
from benchmarks.peers.process_tree import kill, processes_of

MEGABYTES = 60
PROGRAM = """
import mmap, os, sys, time
own = b"x" * (int(sys.argv[2]) << 20)
with open(sys.argv[1], "rb") as stream:
    mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
def touch():
    return sum(mapped[place] for place in range(0, len(mapped), 4096))
touch()
if int(sys.argv[3]) and not os.fork():
    touch()
os.write(1, b"ready\\n")  # at once, though both write it
time.sleep(60)
"""

Start = Callable[..., int]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts programs that map one file, and may have memory of their own and a child."""
    file = tmp_path / "mapped"
    file.write_bytes(b"x" * (MEGABYTES << 20))
    with ExitStack() as stack:

        def start(own: int = 0, *, forks: bool = False) -> int:
            arguments = [str(file), str(own), str(int(forks))]
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE
                )
            )
            stack.callback(lambda: kill(processes_of(process.pid)))
            assert process.stdout is not None
            for _ in range(1 + forks):
                assert process.stdout.readline() == b"ready\n"
            return process.pid

        yield start


def test_its_own_memory_and_the_files_that_it_reads(start: Start) -> None:
    bare = memory_megabytes(start())

    assert MEGABYTES < bare < MEGABYTES + 40
    assert memory_megabytes(start(30)) == pytest.approx(bare + 31.5, abs=4)


def test_what_a_child_shares_counts_once(start: Start) -> None:
    alone, shared = memory_megabytes(start(30)), memory_megabytes(start(30, forks=True))

    assert alone - 2 < shared < alone + 15


def test_what_another_server_reads_too_counts_whole(start: Start) -> None:
    first = start()
    alone = memory_megabytes(first)
    start()
    start()

    assert memory_megabytes(first) == pytest.approx(alone, abs=2)
