"""Our own service is measured before, between and after its peers."""

from __future__ import annotations

from benchmarks.peers.__main__ import merged, order
from benchmarks.peers.kept_run import Place
from benchmarks.peers.roster import CONFIGURATIONS, OURS
from tests.benchmarks.peers.conftest import Row

NAMES = ("litserve", "mosec", "ray")


def test_every_server_once_a_round_in_both_configurations() -> None:
    places = order("faq", NAMES, rounds=2)
    once = [(name, each) for name in (OURS, *NAMES) for each in CONFIGURATIONS]

    assert [(place.server, place.configuration) for place in places] == once * 2
    assert [place.round for place in places] == [1] * len(once) + [2] * len(once)


def test_a_quick_run_leaves_out_the_peers_defaults() -> None:
    places = order("faq", NAMES, rounds=1, configurations=["tuned"])

    assert [(place.server, place.configuration) for place in places] == [
        (OURS, "default"),
        (OURS, "tuned"),
        *((name, "tuned") for name in NAMES),
    ]


def test_rounds_become_one_row_with_the_median_of_each_figure(row: Row) -> None:
    found = [
        (Place("faq", OURS, "tuned", n), row(OURS, speed, memory_megabytes=memory))
        for n, (speed, memory) in enumerate([(90, 7.0), (300, 5.0), (100, 6.0)])
    ]

    (only,) = merged(found)

    assert only.saturation == 100
    assert only.memory_megabytes == 6
    assert {cell.p99 for cell in only.cells} == {10.0}


def test_a_failed_round_is_left_out_where_others_succeeded(row: Row) -> None:
    failed = row(OURS, 1, cells=(), error="ended with status 1")

    found = [(Place("faq", OURS, "tuned", 1), failed), (Place("faq", OURS, "tuned", 2), row(OURS))]

    (only,) = merged(found)

    assert only.error == ""
