"""All servers are there at once and take turns; what fails has no further one."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.peers.measurement import CALLERS, Measured
from benchmarks.peers.roster import OURS, PEERS, Peer
from benchmarks.peers.running_server import RunningServer
from benchmarks.peers.side_by_side import TURNS, Contender, one_round, steps
from client.address import read_address
from tests.benchmarks.peers.test_process_tree import SPINNER, is_held


class Noting(Contender):
    """Notes its turns in the place of taking them."""

    def __init__(self, name: str, noted: list[str]) -> None:
        super().__init__(PEERS[name], "faq", "tuned", lambda _: None)
        self._noted = noted

    def start(self, stack: ExitStack, model: Path, **options: float) -> None:
        stack.callback(self._note, "ended")
        self._note("started")

    def closed(self, callers: int) -> None:
        self._note(f"c={callers}")

    def open(self, share: float) -> None:
        self._note(f"{share:.0%}")

    def beside(self, other: Measured, share: float) -> None:
        self._note(f"beside {other.server} at {share:.0%}")

    def end(self) -> None:
        self._note("SIGTERM")

    def _note(self, what: str) -> None:
        self._noted.append(f"{self.found.server} {what}")


def test_every_load_is_taken_by_one_server_right_after_the_other(tmp_path: Path) -> None:
    noted: list[str] = []
    two = [Noting(name, noted) for name in (OURS, "mosec")]

    found = one_round(two, tmp_path, seconds=1, deadline_seconds=1)

    closed = [f"c={each}" for each in CALLERS for _ in range(TURNS)]
    loads = ["50%", "80%", "80%", "120%", "300%", "300%"]
    beside = {f"mosec {load}": f", {OURS} beside mosec at {load}" for load in ("80%", "300%")}
    expected = [
        f"{name} {load}" + beside.get(f"{name} {load}", "")
        for load in ("started", *closed, *loads, "SIGTERM")
        for name in (OURS, "mosec")
    ]
    expected = ", ".join(expected).split(", ")
    assert noted == [*expected, "mosec ended", f"{OURS} ended"]
    assert len(expected) == steps([OURS, "mosec"]), "a bar of the steps ends where it should"
    assert [row.server for row in found] == [OURS, "mosec"]


def row_of(peer: Peer, tmp_path: Path, said: list[str]) -> Measured:
    contender = Contender(peer, "faq", "default", said.append)
    return one_round([contender], tmp_path, seconds=1, deadline_seconds=1)[0]


def test_a_peer_that_is_not_installed_is_a_row_that_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    row = row_of(Peer("nobody", "Nobody", "nobody", "/"), tmp_path, said)

    assert row.error == "not installed: make peers makes .venvs/peers/nobody"
    assert row.cells == ()
    assert len(said) == steps([OURS]), "ours is not there to be measured beside it"


def test_a_peer_on_another_python_is_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.peers.roster.ENVIRONMENTS", tmp_path)
    python = tmp_path / "somebody" / "bin" / "python"
    python.parent.mkdir(parents=True)
    somebody = Peer("somebody", "Somebody", "somebody", "/")
    python.symlink_to(Path(sys.executable).resolve())
    assert somebody.is_of_this_python
    python.unlink()
    python.write_text("another build")

    assert row_of(somebody, tmp_path, []).error == (
        "not of .venv's Python: remove .venvs/peers/somebody, make peers makes it again"
    )


def test_a_server_does_something_in_its_turn_only() -> None:
    with subprocess.Popen([sys.executable, "-c", SPINNER], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        server = RunningServer(read_address("http://127.0.0.1:1"), process, 0.0, ())
        server.hold()
        assert is_held(process.pid)
        with server.its_turn():
            assert not is_held(process.pid)
        assert is_held(process.pid)
        process.kill()
