"""A run's figures as they would be if the machine had been equally fast all the time."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.peers.measurement import Cell, Measured


def speeds_of(rows: Sequence[Measured]) -> list[float]:
    """The machine's speed at each load, in calls of the model per second."""
    return [cell.speed for row in rows for cell in row.cells if cell.speed]


def at_one_speed(rows: Sequence[Measured]) -> list[Measured]:
    """The rows with each load's rates and times as at the run's median speed."""
    speeds = speeds_of(rows)
    if not speeds:
        return list(rows)
    median = statistics.median(speeds)
    return [replace(row, cells=tuple(_at(cell, median) for cell in row.cells)) for row in rows]


def _at(cell: Cell, speed: float) -> Cell:
    if not cell.speed:
        return cell
    factor = speed / cell.speed

    def time(milliseconds: float | None) -> float | None:
        return None if milliseconds is None else milliseconds / factor

    return replace(
        cell, offered=cell.offered * factor, answers=cell.answers * factor, good=cell.good * factor,
        p50=time(cell.p50), p95=time(cell.p95), p99=time(cell.p99),
    )  # fmt: skip


def medians(rounds: Sequence[Measured]) -> Measured:
    """One server's rounds as one row: the median of each figure, and the rest of the middle round.

    Rounds that failed are left out where others did not.
    """
    whole = [each for each in rounds if not each.error] or list(rounds)
    middle = sorted(whole, key=lambda each: each.saturation)[(len(whole) - 1) // 2]
    by_name = {cell.name: [] for cell in middle.cells}
    for row in whole:
        for cell in row.cells:
            by_name.setdefault(cell.name, []).append(cell)
    return replace(
        middle,
        ready_seconds=statistics.median(each.ready_seconds for each in whole),
        memory_megabytes=statistics.median(each.memory_megabytes for each in whole),
        cells=tuple(_median(cell, by_name[cell.name]) for cell in middle.cells),
    )


def _median(middle: Cell, cells: Sequence[Cell]) -> Cell:
    def of(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return statistics.median(known) if known else None

    return replace(
        middle,
        offered=statistics.median(cell.offered for cell in cells),
        answers=statistics.median(cell.answers for cell in cells),
        good=statistics.median(cell.good for cell in cells),
        p50=of([cell.p50 for cell in cells]),
        p95=of([cell.p95 for cell in cells]),
        p99=of([cell.p99 for cell in cells]),
    )
