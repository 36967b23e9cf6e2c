"""Every server is asked the same questions and shown the same picture, each in its own form."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import pytest

from benchmarks.peers.measurement import measure
from benchmarks.peers.roster import OURS, PEERS, ROOT, Peer
from client.load import faq_workload, resnet_workload

QUESTION = json.loads(faq_workload().bodies[0])["question"]
PICTURE = resnet_workload().bodies[0]


@pytest.mark.parametrize("name", PEERS)
def test_the_same_question(name: str) -> None:
    workload = PEERS[name].workload("faq")

    assert len(workload.bodies) == len(faq_workload().bodies)
    assert json.dumps(QUESTION).encode() in workload.bodies[0]


@pytest.mark.parametrize("name", PEERS)
def test_the_same_picture(name: str) -> None:
    body = PEERS[name].workload("resnet").bodies[0]

    assert body == PICTURE or base64.b64encode(PICTURE) in body


@pytest.mark.parametrize("name", [name for name in PEERS if name != OURS])
def test_every_peer_has_an_adapter_and_pinned_requirements(name: str) -> None:
    folder = ROOT / "benchmarks" / "peers"

    assert (folder / f"{name}.py").exists()
    pins = (folder / f"{name}.txt").read_text()
    assert f"{PEERS[name].package}" in pins
    assert "--hash=sha256:" in pins


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

    row = measure(
        somebody, "faq", tmp_path, is_tuned=False, seconds=1, deadline_seconds=1, say=lambda _: None
    )

    assert row.error == (
        "not of .venv's Python: remove .venvs/peers/somebody, make peers makes it again"
    )


def test_a_peer_that_is_not_installed_is_a_row_that_says_so(tmp_path: Path) -> None:
    row = measure(
        Peer("nobody", "Nobody", "nobody", "/"), "faq", tmp_path, is_tuned=False, seconds=1,
        deadline_seconds=1, say=lambda _: None,
    )  # fmt: skip

    assert row.error == "not installed: make peers makes .venvs/peers/nobody"
