"""A server's processes are found, weighed, held and ended, whatever it started."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.peers.memory import memory_megabytes
from benchmarks.peers.process_tree import hold, kill, let_go, processes_of
from tests.waiting import wait_for

CHILD = "b = b'x' * (60 << 20); print('ready', flush=True); import time; time.sleep(60)"
PARENT = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {CHILD!r}], start_new_session=True)
"""


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    everything = processes_of(process.pid)
    yield process
    kill(everything)
    process.wait()
    process.stdout.close()


def test_a_child_counts_though_it_has_a_session_of_its_own(parent: subprocess.Popen[bytes]) -> None:
    assert len(processes_of(parent.pid)) == 2
    assert memory_megabytes(parent.pid) > 60


def test_what_a_killed_server_leaves_behind_is_ended(parent: subprocess.Popen[bytes]) -> None:
    everything = processes_of(parent.pid)
    parent.kill()
    parent.wait()
    assert [each.is_there for each in everything] == [False, True]

    kill(everything)

    assert not any(each.is_there for each in everything)


SPINNER = "print('ready', flush=True)\nwhile True: pass"


def is_held(pid: int) -> bool:
    """Whether a process that never waits takes no time."""

    def ticks() -> int:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])

    time.sleep(0.05)
    before = ticks()
    with suppress(AssertionError):
        wait_for(lambda: ticks() > before, 0.5)
    return ticks() == before


def test_a_held_process_takes_no_time_until_it_is_let_go() -> None:
    with subprocess.Popen([sys.executable, "-c", SPINNER], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert not is_held(process.pid)
        hold(process.pid)
        assert is_held(process.pid)
        let_go(process.pid)
        assert not is_held(process.pid)
        process.kill()


def test_a_later_process_of_the_same_number_is_left_alone(parent: subprocess.Popen[bytes]) -> None:
    (first, *_) = processes_of(parent.pid)
    kill([type(first)(first.pid, first.started - 1)])
    time.sleep(0.05)

    assert parent.poll() is None
