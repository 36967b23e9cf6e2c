"""The curves of the scale benchmark, drawn from the very cells of its table."""

from __future__ import annotations

from pathlib import Path

from benchmarks.figure import INK, new_figure, write_figure
from benchmarks.result import Table

PANELS = (
    ("Time of one question", "ms of cpu", ("cpu ms p50", "cpu ms p99", "exhaustive cpu ms")),
    ("Memory and folder", "MB", ("resident MB", "private MB", "folder MB")),
    ("Training", "minutes of cpu", ("training cpu min",)),
)


def draw_scale(table: Table, path: Path) -> None:
    """Draw each panel's columns against the number of originals, both logarithmic."""
    figure = new_figure(10, 3.4)
    originals = _column(table, "originals")
    for place, (title, unit, columns) in enumerate(PANELS, 1):
        axes = figure.add_subplot(1, len(PANELS), place)
        for column in columns:
            axes.loglog(originals, _column(table, column), marker="o", markersize=4, label=column)
        axes.set_title(title, loc="left", fontsize=10, color=INK)
        axes.set_xlabel("originals", fontsize=9, color=INK)
        axes.set_ylabel(unit, fontsize=9, color=INK)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
    write_figure(figure, path)


def _column(table: Table, name: str) -> list[float]:
    place = list(table.columns).index(name)
    return [float(row[place].replace(",", "")) for row in table.rows]
