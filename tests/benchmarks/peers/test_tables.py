"""What is shown of a run: who wins a column is in bold, whoever it is."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.peers.measurement import CALLERS, HIGH_RATE, OVERLOAD, Cell, Measured
from benchmarks.peers.pairs import Pair
from benchmarks.peers.roster import OURS
from benchmarks.peers.rounds import medians
from benchmarks.peers.tables import COLUMNS, result_of, summary_table, targets
from benchmarks.result import Target
from tests.benchmarks.peers.conftest import Row


def test_a_peer_that_wins_a_column_is_shown_winning_it(row: Row) -> None:
    table = summary_table("faq", [row(OURS, 100, memory_megabytes=90.0), row("mosec", 120)])
    ours, mosec = (dict(zip(COLUMNS, line, strict=True)) for line in table.rows)

    assert mosec["c=4 /s"] == "**120.0**"
    assert ours["c=4 /s"] == "100.0"
    assert ours["MB"] == "**90**"


def test_the_lower_latency_wins(row: Row) -> None:
    table = summary_table("faq", [row(OURS, 100), row("mosec", 200)])
    ours, mosec = (dict(zip(COLUMNS, line, strict=True)) for line in table.rows)

    assert (ours["p99 ms at 80 %"], mosec["p99 ms at 80 %"]) == ("10.0", "**5.0**")


def test_a_server_that_failed_has_its_error_for_a_row(row: Row) -> None:
    failed = row("ray", cells=(), ending=None, error="ended with status 1: no | room")
    table = summary_table("faq", [row(OURS), failed])

    assert table.rows[1][1] == "failed: ended with status 1: no / room"
    assert set(table.rows[1][2:]) == {""}
    assert "ray" not in str(targets("faq", [row(OURS), failed, row("mosec")])).lower()


def test_requests_lost_are_told_of_how_many(row: Row) -> None:
    shown = dict(zip(COLUMNS, summary_table("faq", [row(OURS)]).rows[0], strict=True))

    assert shown["SIGTERM: lost"] == "1 of 4"
    assert shown["failed after"] == "20 of 50"


def test_a_server_that_does_not_come_back_says_so_instead(row: Row) -> None:
    gone = row("mlserver", ending=None, note="not back 10 s after 300 %")
    shown = dict(zip(COLUMNS, summary_table("faq", [gone]).rows[0], strict=True))

    assert shown["SIGTERM: lost"] == "not back 10 s after 300 %"


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


def test_ours_is_also_held_against_the_quickest_peer_at_that_peer_s_load(row: Row) -> None:
    def with_cells(name: str, *cells: tuple[str, float, float]) -> Measured:
        closed = row("mosec").cells[: len(CALLERS)]
        opened = (Cell(load, rate, rate, rate, 1, 2, p99) for load, rate, p99 in cells)
        return row(name, cells=(*closed, *opened))

    quick = with_cells("mosec", ("50 %", 600, 5), ("80 %", 901, 10))
    slow = with_cells("kserve", ("80 %", 100, 11))
    loads = (quick.load_at(HIGH_RATE), 901, 9), (slow.load_at(HIGH_RATE), 100, 12)
    ours = with_cells(OURS, ("80 %", 1500, 20), *loads)

    def found(*rows: Measured) -> Target:
        return next(
            target for target in targets("faq", rows) if "p99 no worse than its" in target.text
        )

    assert found(ours, quick, slow).figure == "9.0 to 10.0 at 901/s of Mosec 1.0 tuned"
    assert found(ours, quick, slow).reached
    assert not found(ours, slow).reached
    refusing = replace(ours, cells=(*ours.cells[:-2], replace(ours.cells[-2], others={"503": 9})))
    assert found(refusing, quick).figure == "–", "what it refuses costs it nothing"
    assert not found(with_cells(OURS, ("80 %", 1500, 5)), quick).reached

    result = result_of("faq", [ours, quick, slow], deadline=1, rounds=1, seconds=1)
    beside = next(table for table in result.tables if "same arrivals" in table.title)
    assert beside.rows == [
        ["Mosec 1.0 tuned", "901.0", "901.0", "901.0", "1.0", "1.0", "10.0", "9.0", "0", "0"],
        ["KServe 1.0 tuned", "100.0", "100.0", "100.0", "1.0", "1.0", "11.0", "12.0", "0", "0"],
    ]


def test_ours_is_also_held_against_the_peer_of_most_good_answers_at_that_peer_s_overload(
    row: Row,
) -> None:
    def overloaded(name: str, *cells: tuple[str, float]) -> Measured:
        opened = (Cell(load, 9000, good, good, 1, 2, 3) for load, good in cells)
        return row(name, cells=(*row("mosec").cells[: len(CALLERS)], *opened))

    best = overloaded("mosec", ("300 %", 2500))
    other = overloaded("kserve", ("300 %", 100))
    loads = (best.load_at(OVERLOAD), 2600), (other.load_at(OVERLOAD), 90)
    ours = overloaded(OURS, ("300 %", 2400), *loads)

    def found(*rows: Measured) -> Target:
        return next(each for each in targets("faq", rows) if "at least its goodput" in each.text)

    assert found(ours, other, best).figure == "1.04 (2,600.0 to 2,500.0 of Mosec 1.0 tuned)"
    assert found(ours, other, best).reached
    assert found(ours, other).figure == "0.90 (90.0 to 100.0 of KServe 1.0 tuned)"
    assert not found(ours, other).reached
    assert not found(overloaded(OURS, ("300 %", 9000)), best).reached, "it was not there"

    result = result_of("faq", [ours, best, other], deadline=1, rounds=1, seconds=1)
    table = next(each for each in result.tables if "at 300 % of its own best" in each.title)
    assert [line[:4] for line in table.rows] == [
        ["Mosec 1.0 tuned", "9,000.0", "2,500.0", "2,600.0"],
        ["KServe 1.0 tuned", "9,000.0", "100.0", "90.0"],
    ]


def test_the_page_folds_the_table_of_every_load(row: Row) -> None:
    rows = [row(OURS), row("mosec")]
    result = result_of("faq", rows, deadline=1.0, rounds=3, seconds=2.5)
    text = result.text()
    folded = text.partition("<details><summary>Every load</summary>")[2].partition("</details>")[0]

    assert folded.count("Mosec 1.0 tuned") == 8
    assert "\n\n| server" in folded
