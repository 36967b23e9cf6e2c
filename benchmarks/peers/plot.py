"""A run as a picture: throughput over callers, goodput over the load, memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from benchmarks.figure import INK, new_figure, write_figure
from benchmarks.peers.measurement import CALLERS, RATES, Measured
from benchmarks.peers.roster import OURS, PEERS
from client.load.statistics import step_name

GRID = "#e4e7eb"
COLOURS = {
    OURS: "#1a6fb5", "litserve": "#d9822b", "mlserver": "#0f8a5f", "kserve": "#8a5fb0",
    "bentoml": "#c23030", "ray": "#7b8794", "mosec": "#b08d1a",
}  # fmt: skip


def draw(rows: Sequence[Measured], path: Path) -> None:
    """Draw the tuned rows into ``path``."""
    shown = [row for row in rows if row.configuration == "tuned" and not row.error]
    figure = new_figure(12.5, 4.2)
    throughput, goodput, memory = figure.subplots(1, 3)
    for row in shown:
        _line(throughput, row, CALLERS, [f"c={callers}" for callers in CALLERS], "answers")
        _line(goodput, row, RATES, [step_name(rate) for rate in RATES], "good")
    throughput.set_xscale("log", base=2)
    throughput.set_xticks(CALLERS, [str(callers) for callers in CALLERS])
    goodput.set_xticks(RATES, [f"{rate:.0%}" for rate in RATES])
    _text(throughput, "Throughput, tuned", "callers at once", "answers/s")
    _text(goodput, "Goodput, tuned", "offered, share of its own saturation", "good answers/s")
    _bars(memory, shown)
    for axes in (throughput, goodput):
        axes.set_ylim(bottom=0)
        axes.grid(color=GRID, lw=0.8)
        axes.set_axisbelow(True)
    handles, labels = throughput.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=7, frameon=False, fontsize=9)
    write_figure(figure, path)


def _line(axes: Axes, row: Measured, x: Sequence[float], loads: Sequence[str], name: str) -> None:
    cells = [
        (place, cell) for place, load in zip(x, loads, strict=True) if (cell := row.cell(load))
    ]
    axes.plot(
        [place for place, _ in cells], [getattr(cell, name) for _, cell in cells], "o-",
        color=COLOURS[row.server], lw=3 if row.server == OURS else 1.5, ms=4,
        zorder=3 if row.server == OURS else 2, label=PEERS[row.server].title,
    )  # fmt: skip


def _bars(axes: Axes, rows: Sequence[Measured]) -> None:
    names = [PEERS[row.server].title for row in rows]
    values = [row.memory_megabytes for row in rows]
    bars = axes.barh(names, values, color=[COLOURS[row.server] for row in rows])
    axes.bar_label(bars, fmt="{:,.0f}", fontsize=8, color=INK, padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    _text(axes, "Memory", "MB, shared pages once", "")


def _text(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.tick_params(labelsize=9, labelcolor=INK)
    axes.spines[["top", "right"]].set_visible(False)
