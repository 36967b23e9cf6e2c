"""The rows of a run as a result: the table, every cell, and what was to be reached."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from benchmarks.peers.measurement import (
    CALLERS,
    HIGH_RATE,
    OVERLOAD,
    Cell,
    Measured,
    open_seconds,
)
from benchmarks.peers.pairs import Paired, paired
from benchmarks.peers.roster import OURS, PEERS
from benchmarks.peers.side_by_side import COMPARED_TURNS, NEAREST, PAIRED_TURNS, TURNS
from benchmarks.result import Result, Table, Target
from client.load.statistics import step_name

HIGH, OVER = step_name(HIGH_RATE), step_name(OVERLOAD)

COLUMNS = (
    "server", "ready s", "MB", *(f"c={callers} /s" for callers in CALLERS), f"p99 ms at {HIGH}",
    f"good/s at {OVER}", f"else at {OVER}", "SIGTERM: lost", "failed after", "ended in s",
)  # fmt: skip
CELL_COLUMNS = ("server", "load", "offered/s", "answers/s", "good/s", "p50 ms", "p95 ms", "p99 ms",
                "else")  # fmt: skip
NONE = "–"
NOTES = (
    "Every server runs on one core, all with the same build of Python, and serves this project's own "
    "scoring code with the same model folder (benchmarks/peers, one file each); the load comes from the "
    "other core. Default is what its documentation starts with; tuned is what its file says, and what our "
    "services do for themselves with the C library's memory: huge pages, and for questions what is freed is "
    "kept. Throughput is that of so many callers who ask again once answered; the "
    "other loads arrive at random (Poisson), at shares of the server's own best throughput, and wait for "
    "nobody. Callers ask for {seconds:g} s, arrivals go on for {arrivals:g} s. Good is a 200 within "
    "{deadline:g} s of the scheduled arrival. MB is the resident memory of all its processes after the "
    "closed loop; what they share counts once. SIGTERM comes at half the load: lost are requests that were "
    "under way, failed after are those of the second after it, which a load balancer may still send. The "
    "best of each column is in bold.",
    "The machine is shared, and its speed drifts. So all servers are there at the same time and take "
    "turns, load by load, with so many callers {turns} times, at {high} and {over} {compared_turns} times; "
    "those whose turn it is not are stopped (SIGSTOP). Rounds, each with all servers started anew: {rounds}; "
    "figures are the medians. Two that are within a few percent are not told apart by that: the {nearest} "
    "peers that answer most with as many callers have {paired_turns} further turns a round, ours, tuned, "
    "right after each of them; a ratio of throughputs under Targets is the median of those pairs. Right "
    "after each peer's turn at {high} or {over} of its own best ours has one with the very same arrivals: "
    "the faster a server, the more does a share of its own best ask of it.",
    "Ours does more for each answer: it validates what it gets, looks at keys and rates, bounds bodies and "
    "the time that they take, keeps metrics and names every request; the peers' adapters read the field and "
    "score it. Ray Serve starts on both cores, since its processes time out on one, and is held to one "
    "before it loads the model.",
)


def result_of(
    service: str,
    rows: Sequence[Measured],
    *,
    deadline: float,
    rounds: int,
    seconds: float,
) -> Result:
    """The result of one service's run."""
    arrivals = open_seconds(seconds, deadline)
    return Result(
        name=f"peers-{service}",
        title=f"Beside other model servers: {service}",
        notes=[
            note.format(
                deadline=deadline,
                rounds=rounds,
                seconds=seconds,
                arrivals=arrivals,
                turns=TURNS,
                compared_turns=COMPARED_TURNS,
                nearest=NEAREST,
                paired_turns=PAIRED_TURNS,
                high=HIGH,
                over=OVER,
            )
            for note in NOTES
        ],
        tables=[
            summary_table(service, rows),
            *_beside_each(service, rows, HIGH_RATE),
            *_beside_each(service, rows, OVERLOAD),
            Table("Every load", CELL_COLUMNS, _cell_rows(rows), is_folded=True),
        ],
        targets=targets(service, rows),
    )


def summary_table(service: str, rows: Sequence[Measured]) -> Table:
    """A row for each server and configuration, the best of each column in bold."""
    columns = [_Column(*each) for each in _FIGURES]
    cells = [[column.text(row) for column in columns] for row in rows]
    for place, column in enumerate(columns):
        for number in column.best(rows):
            cells[number][place] = f"**{cells[number][place]}**"
    shown = [[_title(row), *line] for row, line in zip(rows, cells, strict=True)]
    for row, line in zip(rows, shown, strict=True):
        if row.error:
            line[1:] = [f"failed: {row.error}".replace("|", "/"), *[""] * (len(line) - 2)]
    return Table(f"{service}: all servers", COLUMNS, shown)


class _Column:
    """How a column reads a row, and whether more is better; None where nothing is."""

    def __init__(
        self, read: Callable[[Measured], float | None], form: str, more: bool | None
    ) -> None:
        self._read, self._form, self._more = read, form, more

    def text(self, row: Measured) -> str:
        value = self._read(row)
        return NONE if value is None else self._form.format(value)

    def best(self, rows: Sequence[Measured]) -> list[int]:
        values = {n: self._read(row) for n, row in enumerate(rows) if not row.error}
        known = {n: value for n, value in values.items() if isinstance(value, int | float)}
        if self._more is None or not known:
            return []
        best = max(known.values()) if self._more else min(known.values())
        return [n for n, value in known.items() if value == best]


def _figure(load: str, name: str) -> Callable[[Measured], float | None]:
    def read(row: Measured) -> float | None:
        cell = row.cell(load)
        return getattr(cell, name) if cell else None

    return read


def _else(row: Measured) -> str:
    cell = row.cell(OVER)
    return _others(cell) if cell else NONE


def _ending(name: str) -> Callable[[Measured], float | None]:
    return lambda row: getattr(row.ending, name) if row.ending else None


def _of(part: str, whole: str) -> Callable[[Measured], str | None]:
    def read(row: Measured) -> str | None:
        if row.ending is None:
            return row.note or None
        return f"{getattr(row.ending, part)} of {getattr(row.ending, whole)}"

    return read


_FIGURES = (
    (lambda row: row.ready_seconds, "{:.1f}", False),
    (lambda row: row.memory_megabytes, "{:,.0f}", False),
    *((_figure(f"c={callers}", "answers"), "{:,.1f}", True) for callers in CALLERS),
    (_figure(HIGH, "p99"), "{:,.1f}", False),
    (_figure(OVER, "good"), "{:,.1f}", True),
    (_else, "{}", None),
    (_of("lost", "under_way"), "{}", None),
    (_of("failed_after", "offered_after"), "{}", None),
    (_ending("seconds"), "{:.1f}", None),
)


def targets(service: str, rows: Sequence[Measured]) -> list[Target]:
    """Ours, tuned, beside the better of every peer's two configurations."""
    ours = _ours(rows)
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
                        _figure(HIGH, "p99")))  # fmt: skip
    found += _at_the_load_of_the_quickest(service, ours, peers)
    found.append(_least(f"{service}: the smallest memory, MB", ours, peers,
                        lambda row: row.memory_megabytes))  # fmt: skip
    return found


def _known(
    peers: Sequence[Measured], read: Callable[[Measured], float | None]
) -> list[tuple[float, str]]:
    return [(value, _title(row)) for row in peers if (value := read(row)) is not None]


def _throughput(text: str, ours: Measured, peers: Sequence[Measured], load: str) -> Target:
    """Against the best of those that ours was paired with."""
    known = [
        (cell.answers, _title(row), found)
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
    read = _figure(OVER, "good")
    best, name = max(_known(peers, read), default=(0.0, "nobody"))
    return _of_best(text, read(ours) or 0.0, best, name)


def _of_best(text: str, mine: float, best: float, name: str) -> Target:
    ratio = mine / best if best else 0.0
    return Target(text, f"{ratio:.2f} ({mine:,.1f} to {best:,.1f} of {name})", ratio >= 1)


def _least(text: str, ours: Measured, peers: Sequence[Measured],
           read: Callable[[Measured], float | None]) -> Target:  # fmt: skip
    best, name = min(_known(peers, read), default=(0.0, "nobody"))
    mine = read(ours)
    figure = f"{_shown(mine)} to {best:,.1f} of {name}"
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
    figure = f"{cell.p99:,.1f} to {best:,.1f} at {load:,.0f}/s of {_title(quickest)}"
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
    return [_of_best(text, cell.good, most, _title(best))]


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


def _beside_each(service: str, rows: Sequence[Measured], share: float) -> list[Table]:
    """Every other server at a share of its own best, and ours with the same arrivals."""
    ours, load = _ours(rows), step_name(share)
    if ours is None:
        return []
    lines = [
        [
            _title(row),
            f"{cell.offered:,.1f}",
            *map(_shown, (cell.good, mine.good, cell.p50, mine.p50, cell.p99, mine.p99)),
            *map(_others, (cell, mine)),
        ]
        for row in rows
        if row.server != OURS
        and (cell := row.cell(load)) is not None
        and (mine := ours.cell(row.load_at(share))) is not None
    ]
    figures = ("good/s", "p50 ms", "p99 ms", "else")
    columns = ("server", "offered/s", *(name for each in figures for name in (each, "ours")))
    title = f"{service}: each at {load} of its own best, and ours with the very same arrivals"
    return [Table(title, columns, lines)] if lines else []


def _ours(rows: Sequence[Measured]) -> Measured | None:
    return next((r for r in rows if r.server == OURS and r.configuration == "tuned"), None)


def _shown(figure: float | None) -> str:
    return NONE if figure is None else f"{figure:,.1f}"


def _cell_rows(rows: Sequence[Measured]) -> list[list[str]]:
    return [
        [_title(row), cell.name, *(f"{each:,.1f}" for each in (cell.offered, cell.answers, cell.good)),
         *map(_shown, (cell.p50, cell.p95, cell.p99)),
         _others(cell)]
        for row in rows
        for cell in row.cells
    ]  # fmt: skip


def _title(row: Measured) -> str:
    name = PEERS[row.server].title
    return " ".join(each for each in (name, row.version, row.configuration) if each)


def _others(cell: Cell) -> str:
    return ", ".join(f"{count:,} × {name}" for name, count in cell.others.items()) or "0"
