"""What is to be reached is held against the best of the others, and by figures that can be compared."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.peers.measurement import HIGH_RATE, OVERLOAD, Measured
from benchmarks.peers.pairs import Pair
from benchmarks.peers.roster import OURS
from benchmarks.peers.rounds import medians
from benchmarks.peers.targets import targets
from benchmarks.result import Target
from tests.benchmarks.peers.conftest import Row


def test_ours_is_held_against_the_better_configuration_of_every_peer(row: Row) -> None:
    rows = [
        row(OURS, 100, pairs=pairs(mosec=[(100, 110)], kserve=[(100, 20)])),
        row("mosec", 90, configuration="default"),
        row("mosec", 110),
        row("ray", 10),
        row("kserve", 20),
    ]
    found = {target.text: target for target in targets("faq", rows)}

    throughput = found["faq, c=1: at least 1.0 times the best peer's throughput"]
    assert not throughput.reached
    assert "110.0 of Mosec 1.0 tuned" in throughput.figure
    assert not found["faq, c=4: at least 1.0 times the best peer's throughput"].reached, (
        "not paired"
    )
    median = found["faq: at least 2 times the median peer's best throughput"]
    assert median.figure == "5.00 (100.0 to 20.0)"


def pairs(**turns: list[tuple[float, float]]) -> list[Pair]:
    return [Pair("c=1", name, "tuned", *turn) for name, each in turns.items() for turn in each]


def test_throughput_is_compared_by_turns_right_after_one_another(row: Row) -> None:
    drifting = [(103.0, 100.0), (206.0, 200.0), (52.0, 50.0), (90.0, 100.0)]
    rows = [row(OURS, 90, pairs=pairs(mosec=drifting)), row("mosec", 100)]

    target = targets("faq", rows)[0]
    assert target.figure == "1.03 (96.5 to 100.0 of Mosec 1.0 tuned, ahead in 3 of 4 turns)"
    assert target.reached, "ours had its other turns when the machine was slow"
    rows[0] = replace(rows[0], pairs=pairs(mosec=[(99.0, 100.0), *drifting[-1:]]))
    assert not targets("faq", rows)[0].reached
    rows[0] = replace(rows[0], pairs=pairs(mosec=[(99.0, 0.0)]))
    assert targets("faq", rows)[0].figure == "–", "it answered nothing"


def test_the_pairs_of_all_rounds_count(row: Row) -> None:
    rounds = [row(OURS, pairs=pairs(mosec=[(n, 1.0)])) for n in (1.0, 2.0, 3.0)]

    assert [pair.ours for pair in medians(rounds).pairs] == [1.0, 2.0, 3.0]


def test_a_server_that_failed_is_no_rival(row: Row) -> None:
    failed = row("ray", cells=(), ending=None, error="ended with status 1: no | room")

    assert "ray" not in str(targets("faq", [row(OURS), failed, row("mosec")])).lower()
    assert targets("faq", [row(OURS), failed]) == []


def test_ours_is_also_held_against_the_quickest_peer_at_that_peer_s_load(open_row: Row) -> None:
    quick = open_row("mosec", ("50 %", 600, 600, 5), ("80 %", 901, 901, 10))
    slow = open_row("kserve", ("80 %", 100, 100, 11))
    loads = (quick.load_at(HIGH_RATE), 901, 901, 9), (slow.load_at(HIGH_RATE), 100, 100, 12)
    ours = open_row(OURS, ("80 %", 1500, 1500, 20), *loads)

    def found(*rows: Measured) -> Target:
        return next(
            target for target in targets("faq", rows) if "p99 no worse than its" in target.text
        )

    assert found(ours, quick, slow).figure == "9.0 to 10.0 at 901/s of Mosec 1.0 tuned"
    assert found(ours, quick, slow).reached
    assert not found(ours, slow).reached
    refusing = replace(ours, cells=(*ours.cells[:-2], replace(ours.cells[-2], others={"503": 9})))
    assert found(refusing, quick).figure == "–", "what it refuses costs it nothing"
    assert not found(open_row(OURS, ("80 %", 1500, 1500, 5)), quick).reached


def test_ours_is_also_held_against_the_peer_of_most_good_answers_at_that_peer_s_overload(
    open_row: Row,
) -> None:
    best = open_row("mosec", ("300 %", 9000, 2500, 3))
    other = open_row("kserve", ("300 %", 9000, 100, 3))
    loads = (best.load_at(OVERLOAD), 9000, 2600, 3), (other.load_at(OVERLOAD), 9000, 90, 3)
    ours = open_row(OURS, ("300 %", 9000, 2400, 3), *loads)

    def found(*rows: Measured) -> Target:
        return next(each for each in targets("faq", rows) if "at least its goodput" in each.text)

    assert found(ours, other, best).figure == "1.04 (2,600.0 to 2,500.0 of Mosec 1.0 tuned)"
    assert found(ours, other, best).reached
    assert found(ours, other).figure == "0.90 (90.0 to 100.0 of KServe 1.0 tuned)"
    assert not found(ours, other).reached
    assert not found(open_row(OURS, ("300 %", 9000, 9000, 3)), best).reached, "it was not there"
