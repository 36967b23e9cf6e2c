"""What was measured while the machine was slow is shown as if it had not been."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.peers.measurement import Measured
from benchmarks.peers.one_speed import at_one_speed, speeds_of
from benchmarks.peers.roster import OURS
from tests.benchmarks.peers.conftest import Row


def at(row: Measured, speed: float) -> Measured:
    return replace(row, cells=tuple(replace(cell, speed=speed) for cell in row.cells))


def test_rates_grow_and_times_shrink_by_what_the_machine_was_slower(row: Row) -> None:
    slow, usual, fast = (at(row(OURS, 100), speed) for speed in (200, 400, 500))
    found = at_one_speed([slow, usual, fast])

    assert [each.saturation for each in found] == [200, 100, pytest.approx(80)]
    assert [each.cells[0].p99 for each in found] == [5, 10, pytest.approx(12.5)]
    assert [each.cells[0].offered for each in found] == [each.saturation for each in found]


def test_what_does_not_depend_on_the_speed_stays(row: Row) -> None:
    rows = [at(row(OURS), 200), at(row("mosec"), 400)]
    found = at_one_speed(rows)

    for before, after in zip(rows, found, strict=True):
        assert after.memory_megabytes == before.memory_megabytes
        assert [cell.others for cell in after.cells] == [cell.others for cell in before.cells]


def test_rows_of_an_unknown_speed_are_left_as_they_are(row: Row) -> None:
    rows = [row(OURS), row("mosec")]

    assert speeds_of(rows) == []
    assert at_one_speed(rows) == rows
