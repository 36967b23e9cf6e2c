from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from services.launch import ROOT

WAITS_FOR_EVER = """
import asyncio, time
import pytest

async def in_a_callback():
    asyncio.get_running_loop().call_soon(time.sleep, 60)
    await asyncio.get_running_loop().create_future()

async def in_a_task():
    async def work():
        time.sleep(60)
    task = asyncio.ensure_future(work())
    task.add_done_callback(lambda done: done.exception())  # or it is told whenever it is collected
    await asyncio.get_running_loop().create_future()

async def in_the_program():
    time.sleep(60)

@pytest.fixture
def fixture_that_waits():
    asyncio.run(in_a_callback())

@pytest.mark.parametrize("where", [in_a_callback, in_a_task, in_the_program])
def test_that_waits(where):
    asyncio.run(where())

def test_whose_fixture_waits(fixture_that_waits):
    pass

def test_after_them():
    pass
"""


def test_what_waits_in_an_event_loop_fails_at_its_limit_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    (tmp_path / "test_waiting.py").write_text(WAITS_FOR_EVER)
    command = [sys.executable, "-m", "pytest", "-p", "tests.timeouts", "-p", "no:cacheprovider"]
    options = ["--timeout=0.5", "--tb=native", f"--rootdir={tmp_path}", "-c", "/dev/null"]
    try:
        done = subprocess.run(
            [*command, *options, tmp_path],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.fail("a test goes on after its limit")
    assert done.stdout.count("Failed: Timeout (>0.5s)") >= 4
    assert "3 failed, 1 passed, 1 error" in done.stdout
