"""All servers are there at once and take turns; what fails has no further one."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.peers.measurement import CALLERS, Cell, Measured
from benchmarks.peers.pairs import Pair
from benchmarks.peers.roster import OURS, PEERS, Peer
from benchmarks.peers.running_server import RunningServer
from benchmarks.peers.side_by_side import (
    PAIRED_TURNS,
    TURNS,
    Contender,
    nearest,
    one_round,
    steps,
)
from client.address import read_address
from tests.benchmarks.peers.test_process_tree import SPINNER, is_held

SPEED = {OURS: 110.0, "mosec": 100.0, "kserve": 50.0, "litserve": 40.0}


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
        self._add(self._cell(callers))

    def extra_turn(self, callers: int) -> Cell | None:
        self._note(f"c={callers} again")
        return self._cell(callers)

    def open(self, share: float) -> None:
        self._note(f"{share:.0%}")

    def beside(self, other: Measured, share: float) -> None:
        self._note(f"beside {other.server} at {share:.0%}")

    def end(self) -> None:
        self._note("SIGTERM")

    def _cell(self, callers: int) -> Cell:
        return Cell(f"c={callers}", 1, SPEED[self.found.server], 1, 1, 1, 1)

    def _note(self, what: str) -> None:
        self._noted.append(f"{self.found.server} {what}")


def test_every_load_is_taken_by_one_server_right_after_the_other(tmp_path: Path) -> None:
    noted: list[str] = []
    two = [Noting(name, noted) for name in (OURS, "mosec")]

    found = one_round(two, tmp_path, seconds=1, deadline_seconds=1)

    loads = ["50%", "80%", "80%", "120%", "300%", "300%"]
    beside = {f"mosec {load}": f", {OURS} beside mosec at {load}" for load in ("80%", "300%")}

    def in_turns(*loads: str, names: tuple[str, ...] = (OURS, "mosec")) -> list[str]:
        return [
            turn
            for load in loads
            for name in names
            for turn in (f"{name} {load}" + beside.get(f"{name} {load}", "")).split(", ")
        ]

    closed = [
        turn
        for each in CALLERS
        for turn in (
            *in_turns(*[f"c={each}"] * TURNS),
            *in_turns(*[f"c={each} again"] * PAIRED_TURNS, names=("mosec", OURS)),
        )
    ]
    expected = [*in_turns("started"), *closed, *in_turns(*loads, "SIGTERM")]
    assert noted == [*expected, "mosec ended", f"{OURS} ended"]
    assert len(expected) == steps([OURS, "mosec"]), "a bar of the steps ends where it should"
    assert [row.server for row in found] == [OURS, "mosec"]
    assert found[0].pairs == tuple(
        Pair(f"c={each}", "mosec", "tuned", SPEED[OURS], SPEED["mosec"])
        for each in CALLERS
        for _ in range(PAIRED_TURNS)
    )
    assert not found[1].pairs, "they are ours"


def test_ours_is_paired_with_those_that_answer_most() -> None:
    noted: list[str] = []
    all_of_them = [Noting(name, noted) for name in ("litserve", OURS, "kserve", "mosec")]
    for each in all_of_them:
        each.closed(4)

    assert [each.found.server for each in nearest(all_of_them, 4)] == ["mosec", "kserve"]
    all_of_them[-1].found = replace(all_of_them[-1].found, error="ended with status 1")
    assert [each.found.server for each in nearest(all_of_them, 4)] == ["kserve", "litserve"]
    assert nearest(all_of_them, 16) == [], "nobody had a turn yet"


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
