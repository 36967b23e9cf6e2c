"""Who takes part in a round, and what many rounds come to."""

from __future__ import annotations

from benchmarks.peers.__main__ import order
from benchmarks.peers.roster import CONFIGURATIONS, OURS
from benchmarks.peers.rounds import median, medians
from tests.benchmarks.peers.conftest import Row

NAMES = ("litserve", "mosec", "ray")


def test_every_server_takes_part_in_both_configurations() -> None:
    assert order(NAMES, CONFIGURATIONS) == [
        (name, each) for name in (OURS, *NAMES) for each in CONFIGURATIONS
    ]


def test_a_quick_run_leaves_out_the_peers_defaults() -> None:
    assert order(NAMES, ["tuned"]) == [
        (OURS, "default"),
        (OURS, "tuned"),
        *((name, "tuned") for name in NAMES),
    ]


def test_rounds_become_one_row_with_the_median_of_each_figure(row: Row) -> None:
    found = [
        row(OURS, speed, memory_megabytes=memory)
        for speed, memory in [(90, 7.0), (300, 5.0), (100, 6.0)]
    ]

    only = medians(found)

    assert only.saturation == 100
    assert only.memory_megabytes == 6
    assert {cell.p99 for cell in only.cells} == {10.0}


def test_a_failed_round_is_left_out_where_others_succeeded(row: Row) -> None:
    failed = row(OURS, 1, cells=(), error="ended with status 1")

    assert medians([failed, row(OURS)]).error == ""


def test_turns_become_one_load_with_the_median_of_each_figure(row: Row) -> None:
    turns = [row(OURS, speed).cells[0] for speed in (90, 300, 100, 80)]

    only = median(turns)

    assert (only.name, only.answers, only.p50) == (turns[0].name, 95, (1000 / 90 + 10) / 2)
