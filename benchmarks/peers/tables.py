"""The rows of a run as a result: the table, every cell, and what was to be reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.peers.figures import (
    HIGH,
    NONE,
    OVER,
    figure_of,
    others_of,
    ours_of,
    title_of,
    written,
)
from benchmarks.peers.measurement import CALLERS, HIGH_RATE, OVERLOAD, Measured, open_seconds
from benchmarks.peers.roster import OURS
from benchmarks.peers.side_by_side import COMPARED_TURNS, NEAREST, PAIRED_TURNS, TURNS
from benchmarks.peers.targets import targets
from benchmarks.result import Result, Table
from client.load.statistics import step_name

COLUMNS = (
    "server", "ready s", "MB", *(f"c={callers} /s" for callers in CALLERS), f"p99 ms at {HIGH}",
    f"good/s at {OVER}", f"else at {OVER}", "SIGTERM: lost", "failed after", "ended in s",
)  # fmt: skip
CELL_COLUMNS = ("server", "load", "offered/s", "answers/s", "good/s", "p50 ms", "p95 ms", "p99 ms",
                "else")  # fmt: skip
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
    shown = [[title_of(row), *line] for row, line in zip(rows, cells, strict=True)]
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


def _else(row: Measured) -> str:
    cell = row.cell(OVER)
    return others_of(cell) if cell else NONE


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
    *((figure_of(f"c={callers}", "answers"), "{:,.1f}", True) for callers in CALLERS),
    (figure_of(HIGH, "p99"), "{:,.1f}", False),
    (figure_of(OVER, "good"), "{:,.1f}", True),
    (_else, "{}", None),
    (_of("lost", "under_way"), "{}", None),
    (_of("failed_after", "offered_after"), "{}", None),
    (_ending("seconds"), "{:.1f}", None),
)


def _beside_each(service: str, rows: Sequence[Measured], share: float) -> list[Table]:
    """Every other server at a share of its own best, and ours with the same arrivals."""
    ours, load = ours_of(rows), step_name(share)
    if ours is None:
        return []
    lines = [
        [
            title_of(row),
            f"{cell.offered:,.1f}",
            *map(written, (cell.good, mine.good, cell.p50, mine.p50, cell.p99, mine.p99)),
            *map(others_of, (cell, mine)),
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


def _cell_rows(rows: Sequence[Measured]) -> list[list[str]]:
    return [
        [title_of(row), cell.name, *(f"{each:,.1f}" for each in (cell.offered, cell.answers, cell.good)),
         *map(written, (cell.p50, cell.p95, cell.p99)),
         others_of(cell)]
        for row in rows
        for cell in row.cells
    ]  # fmt: skip
