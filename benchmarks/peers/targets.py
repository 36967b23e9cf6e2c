"""What was to be reached beside the other servers, and whether it was."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from benchmarks.peers.figures import HIGH, NONE, OVER, figure_of, ours_of, title_of, written
from benchmarks.peers.measurement import CALLERS, HIGH_RATE, OVERLOAD, Measured
from benchmarks.peers.pairs import Paired, paired
from benchmarks.peers.roster import OURS
from benchmarks.result import Target


def targets(service: str, rows: Sequence[Measured]) -> list[Target]:
    """Ours, tuned, beside the better of every peer's two configurations."""
    ours = ours_of(rows)
    peers = [row for row in rows if row.server != OURS and not row.error]
    if ours is None or ours.error or not peers:
        return []
    found = [
        _throughput(
            f"{service}, c={callers}: at least 1.0 times the best peer's throughput",
            ours, peers, f"c={callers}",
        )
        for callers in CALLERS
    ]  # fmt: skip
    if service == "faq":
        found.append(_against_median(ours, peers))
    found.append(_goodput(f"{service}, {OVER}: the best goodput", ours, peers))
    found += _at_the_load_of_the_best(service, ours, peers)
    found.append(_least(f"{service}, {HIGH}: p99 no worse than the best peer's, ms", ours, peers,
                        figure_of(HIGH, "p99")))  # fmt: skip
    found += _at_the_load_of_the_quickest(service, ours, peers)
    found.append(_least(f"{service}: the smallest memory, MB", ours, peers,
                        lambda row: row.memory_megabytes))  # fmt: skip
    return found


def _known(
    peers: Sequence[Measured], read: Callable[[Measured], float | None]
) -> list[tuple[float, str]]:
    return [(value, title_of(row)) for row in peers if (value := read(row)) is not None]


def _throughput(text: str, ours: Measured, peers: Sequence[Measured], load: str) -> Target:
    """Against the best of those that ours was paired with."""
    known = [
        (cell.answers, title_of(row), found)
        for row in peers
        if (cell := row.cell(load)) and (found := _paired_with(ours, row, load))
    ]
    if not known:
        return Target(text, NONE, False)
    _, name, found = max(known, key=lambda each: each[0])
    figure = (
        f"{found.ratio:.2f} ({found.ours:,.1f} to {found.theirs:,.1f} of {name}, "
        f"ahead in {found.ahead} of {found.pairs} turns)"
    )
    return Target(text, figure, found.ratio >= 1)


def _paired_with(ours: Measured, row: Measured, load: str) -> Paired | None:
    wanted = (load, row.server, row.configuration)
    return paired(
        [each for each in ours.pairs if (each.load, each.server, each.configuration) == wanted]
    )


def _goodput(text: str, ours: Measured, peers: Sequence[Measured]) -> Target:
    read = figure_of(OVER, "good")
    best, name = max(_known(peers, read), default=(0.0, "nobody"))
    return _of_best(text, read(ours) or 0.0, best, name)


def _of_best(text: str, mine: float, best: float, name: str) -> Target:
    ratio = mine / best if best else 0.0
    return Target(text, f"{ratio:.2f} ({mine:,.1f} to {best:,.1f} of {name})", ratio >= 1)


def _least(text: str, ours: Measured, peers: Sequence[Measured],
           read: Callable[[Measured], float | None]) -> Target:  # fmt: skip
    best, name = min(_known(peers, read), default=(0.0, "nobody"))
    mine = read(ours)
    figure = f"{written(mine)} to {best:,.1f} of {name}"
    return Target(text, figure, mine is not None and mine <= best)


def _at_the_load_of_the_quickest(
    service: str, ours: Measured, peers: Sequence[Measured]
) -> list[Target]:
    """Ours with the very arrivals of the peer that had the lowest 99th percentile at :data:`HIGH`."""
    quick = [
        (cell.p99, cell.offered, row)
        for row in peers
        if (cell := row.cell(HIGH)) and cell.p99 is not None
    ]
    if not quick:
        return []
    best, load, quickest = min(quick, key=lambda each: each[0])
    text = f"{service}, {HIGH} of that peer's best, arrival for arrival: p99 no worse than its, ms"
    cell = ours.cell(quickest.load_at(HIGH_RATE))
    if cell is None or cell.p99 is None or cell.others:
        return [Target(text, NONE, False)]
    figure = f"{cell.p99:,.1f} to {best:,.1f} at {load:,.0f}/s of {title_of(quickest)}"
    return [Target(text, figure, cell.p99 <= best)]


def _at_the_load_of_the_best(
    service: str, ours: Measured, peers: Sequence[Measured]
) -> list[Target]:
    """Ours with the very arrivals of the peer that had the most good answers at :data:`OVER`."""
    known = [(cell.good, row) for row in peers if (cell := row.cell(OVER))]
    if not known:
        return []
    most, best = max(known, key=lambda each: each[0])
    text = f"{service}, {OVER} of that peer's best, arrival for arrival: at least its goodput"
    cell = ours.cell(best.load_at(OVERLOAD))
    if cell is None:
        return [Target(text, NONE, False)]
    return [_of_best(text, cell.good, most, title_of(best))]


def _against_median(ours: Measured, peers: Sequence[Measured]) -> Target:
    best_of: dict[str, float] = {}
    for row in peers:
        best_of[row.server] = max(best_of.get(row.server, 0.0), row.saturation)
    median = statistics.median(best_of.values())
    ratio = ours.saturation / median if median else 0.0
    return Target(
        "faq: at least 2 times the median peer's best throughput",
        f"{ratio:.2f} ({ours.saturation:,.1f} to {median:,.1f})",
        ratio >= 2,
    )
