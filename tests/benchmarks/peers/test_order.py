"""Our own service is measured before, between and after its peers."""

from __future__ import annotations

from benchmarks.peers.__main__ import merged, order
from benchmarks.peers.kept_run import Place
from benchmarks.peers.roster import CONFIGURATIONS, OURS
from tests.benchmarks.peers.conftest import Row

NAMES = ("litserve", "mosec", "ray")


def test_every_peer_once_in_both_configurations() -> None:
    places = [place for place in order("faq", NAMES, rounds=3) if place.server != OURS]

    assert places == [Place("faq", name, each) for name in NAMES for each in CONFIGURATIONS]


def test_ours_is_spread_between_them() -> None:
    places = order("faq", NAMES, rounds=3)
    tuned = [place.round for place in places if place.server == OURS][1:]

    assert tuned == [1, 2, 3]
    assert [n for n, place in enumerate(places) if place.server == OURS] == [0, 1, 5, 9]
    assert len(places) == 10


def test_ours_alone_is_measured_where_there_is_one_round() -> None:
    servers = [place.server for place in order("faq", ["mosec"], rounds=1)]

    assert servers == [OURS, OURS, "mosec", "mosec"]


def test_a_quick_run_leaves_out_the_peers_defaults() -> None:
    places = order("faq", NAMES, rounds=1, configurations=["tuned"])

    assert [(place.server, place.configuration) for place in places] == [
        (OURS, "default"),
        (OURS, "tuned"),
        *((name, "tuned") for name in NAMES),
    ]


def test_rounds_become_the_one_with_the_median_throughput(row: Row) -> None:
    found = [
        (Place("faq", OURS, "tuned", n), row(OURS, speed)) for n, speed in enumerate((90, 300, 100))
    ]

    (only,) = merged(found)

    assert only.saturation == 100


def test_a_failed_round_is_left_out_where_others_succeeded(row: Row) -> None:
    failed = row(OURS, 1, cells=(), error="ended with status 1")

    found = [(Place("faq", OURS, "tuned", 1), failed), (Place("faq", OURS, "tuned", 2), row(OURS))]

    (only,) = merged(found)

    assert only.error == ""
