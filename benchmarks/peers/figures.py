"""How the figures of a run are read and written, in its tables as under its targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.peers.measurement import HIGH_RATE, OVERLOAD, Cell, Measured
from benchmarks.peers.roster import OURS, PEERS
from client.load.statistics import step_name

HIGH, OVER = step_name(HIGH_RATE), step_name(OVERLOAD)
NONE = "–"


def figure_of(load: str, name: str) -> Callable[[Measured], float | None]:
    """What reads a figure of a cell, by the names of both; it finds None where that was not measured."""

    def read(row: Measured) -> float | None:
        cell = row.cell(load)
        return getattr(cell, name) if cell else None

    return read


def ours_of(rows: Sequence[Measured]) -> Measured | None:
    """Our own server, tuned."""
    return next((r for r in rows if r.server == OURS and r.configuration == "tuned"), None)


def title_of(row: Measured) -> str:
    """A server's name, version and configuration."""
    name = PEERS[row.server].title
    return " ".join(each for each in (name, row.version, row.configuration) if each)


def written(figure: float | None) -> str:
    """A figure with one decimal."""
    return NONE if figure is None else f"{figure:,.1f}"


def others_of(cell: Cell) -> str:
    """What came in the place of answers 200, and how often."""
    return ", ".join(f"{count:,} × {name}" for name, count in cell.others.items()) or "0"
