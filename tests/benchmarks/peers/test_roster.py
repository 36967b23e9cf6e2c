"""Every server is asked the same questions and shown the same picture, each in its own form."""

from __future__ import annotations

import base64
import json

import pytest

from benchmarks.peers.roster import OURS, PEERS, ROOT
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
