"""What is shown of a run: who wins a column is in bold, whoever it is."""

from __future__ import annotations

from benchmarks.peers.measurement import HIGH_RATE, OVERLOAD
from benchmarks.peers.roster import OURS
from benchmarks.peers.tables import COLUMNS, result_of, summary_table
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


def test_requests_lost_are_told_of_how_many(row: Row) -> None:
    shown = dict(zip(COLUMNS, summary_table("faq", [row(OURS)]).rows[0], strict=True))

    assert shown["SIGTERM: lost"] == "1 of 4"
    assert shown["failed after"] == "20 of 50"


def test_a_server_that_does_not_come_back_says_so_instead(row: Row) -> None:
    gone = row("mlserver", ending=None, note="not back 10 s after 300 %")
    shown = dict(zip(COLUMNS, summary_table("faq", [gone]).rows[0], strict=True))

    assert shown["SIGTERM: lost"] == "not back 10 s after 300 %"


def test_each_server_is_shown_beside_ours_with_the_very_same_arrivals(open_row: Row) -> None:
    quick = open_row("mosec", ("80 %", 901, 901, 10), ("300 %", 9000, 2500, 30))
    slow = open_row("kserve", ("80 %", 100, 100, 11), ("300 %", 9000, 100, 31))
    ours = open_row(
        OURS,
        (quick.load_at(HIGH_RATE), 901, 901, 9),
        (slow.load_at(HIGH_RATE), 100, 100, 12),
        (quick.load_at(OVERLOAD), 9000, 2600, 28),
        (slow.load_at(OVERLOAD), 9000, 90, 29),
    )

    result = result_of("faq", [ours, quick, slow], deadline=1, rounds=1, seconds=1)
    high, over = (table for table in result.tables if "same arrivals" in table.title)
    assert "at 80 % of its own best" in high.title
    assert high.rows == [
        ["Mosec 1.0 tuned", "901.0", "901.0", "901.0", "1.0", "1.0", "10.0", "9.0", "0", "0"],
        ["KServe 1.0 tuned", "100.0", "100.0", "100.0", "1.0", "1.0", "11.0", "12.0", "0", "0"],
    ]
    assert "at 300 % of its own best" in over.title
    assert [line[:4] for line in over.rows] == [
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
