"""Many rounds as one result: the median of each figure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.peers.measurement import Cell, Measured


def medians(rounds: Sequence[Measured]) -> Measured:
    """One server's rounds as one row: the median of each figure, all pairs, and the rest of the middle round.

    Rounds that failed are left out where others did not.
    """
    whole = [each for each in rounds if not each.error] or list(rounds)
    middle = sorted(whole, key=lambda each: each.saturation)[(len(whole) - 1) // 2]
    by_name: dict[str, list[Cell]] = {cell.name: [] for cell in middle.cells}
    for row in whole:
        for cell in row.cells:
            by_name.setdefault(cell.name, []).append(cell)
    return replace(
        middle,
        ready_seconds=statistics.median(each.ready_seconds for each in whole),
        memory_megabytes=statistics.median(each.memory_megabytes for each in whole),
        cells=tuple(map(median, by_name.values())),
        pairs=tuple(pair for each in whole for pair in each.pairs),
    )


def median(cells: Sequence[Cell]) -> Cell:
    """One load's turns as one: the median of each figure, and the rest of the middle turn."""
    middle = sorted(cells, key=lambda each: each.answers)[(len(cells) - 1) // 2]

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
