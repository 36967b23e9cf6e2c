"""A peer is given what a server of its own would be given, and a tuned one what ours does for itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.peers.roster import OURS, PEERS
from benchmarks.peers.running_server import _environment
from benchmarks.peers.served_model import Setup

VARIABLES = {
    "faq": {"GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"},
    "resnet": {"GLIBC_TUNABLES"},
}


@pytest.mark.parametrize("service", ["faq", "resnet"])
@pytest.mark.parametrize(
    ("name", "is_tuned", "is_given"),
    [("mosec", True, True), ("mosec", False, False), (OURS, True, False)],
)
def test_a_tuned_peer_has_its_memory_treated_as_ours_treats_its_own(
    service: str, name: str, is_tuned: bool, is_given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = set.union(*VARIABLES.values())
    for variable in every:
        monkeypatch.delenv(variable, raising=False)

    environment = _environment(PEERS[name], Setup(service, Path("model"), 1, is_tuned, 1.0))

    assert every & set(environment) == (VARIABLES[service] if is_given else set())
