"""What tests start ends with them, however they end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from services.launch import ROOT
from tests.cleanup import StartFailed, ended_by
from tests.waiting import wait_for

KILLED = """
import sys, time
from tests.cleanup import ended_by
with ended_by(f"echo gone >{sys.argv[1]}", start=f"echo here >{sys.argv[1]}"):
    print("started", flush=True)
    time.sleep(60)
"""
SECONDS = 20


def test_the_second_command_comes_at_the_end(tmp_path: Path) -> None:
    note = tmp_path / "note"
    with ended_by(f"echo gone >{note}", start=f"echo here >{note}"):
        assert note.read_text() == "here\n"
    assert note.read_text() == "gone\n"


def test_it_comes_when_the_block_fails(tmp_path: Path) -> None:
    note = tmp_path / "note"
    with pytest.raises(ZeroDivisionError), ended_by(f"touch {note}"):
        raise ZeroDivisionError
    assert note.exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_comes_when_the_tests_are_killed(tmp_path: Path, how: signal.Signals) -> None:
    note = tmp_path / "note"
    command = [sys.executable, "-c", KILLED, str(note)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        assert tests.stdout.readline() == "started\n"
        tests.send_signal(how)
    wait_for(lambda: note.read_text() == "gone\n", SECONDS, "it never came")


def test_it_comes_when_the_tests_are_killed_while_the_first_is_at_work(tmp_path: Path) -> None:
    """After it, or something would be left that had not been there yet."""
    note = tmp_path / "note"
    slow = KILLED.replace('"echo here >{sys.argv[1]}"', '"echo here >{sys.argv[1]}; sleep 1"')
    with subprocess.Popen([sys.executable, "-c", slow, str(note)], cwd=ROOT) as tests:
        wait_for(note.exists, SECONDS, "it never began")
        tests.kill()
    wait_for(lambda: note.exists() and note.read_text() == "gone\n", SECONDS, "it never came")


def test_what_does_not_start_says_why_and_is_ended(tmp_path: Path) -> None:
    note = tmp_path / "note"
    with (
        pytest.raises(StartFailed, match="no such engine"),
        ended_by(f"touch {note}", start="echo no such engine >&2; false"),
    ):
        pass
    assert note.exists()


def test_an_end_that_fails_is_told() -> None:
    with pytest.raises(subprocess.CalledProcessError), ended_by("false"):
        pass
