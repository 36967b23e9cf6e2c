"""Bar charts of recorded results, drawn from the very cells of their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figure import INK, new_figure, write_figure
from benchmarks.result import Result, Table
from benchmarks.scale_chart import draw_scale

COLOURS = ("#1a6fb5", "#a8adb4")
WIDTH = 0.38


@dataclass(frozen=True)
class Panel:
    """Groups of bars: ``series`` has one value for each label."""

    title: str
    unit: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[float]]


def draw(result: Result, folder: Path) -> list[str]:
    """Draw a result's chart and return its file name; nothing for results that bring their own."""
    panels = {"predecessor": predecessor, "overhead": overhead, "backends": backends}
    name = f"{result.name}.png"
    if result.name == "scale":
        draw_scale(result.tables[0], folder / name)
        return [name]
    if result.name not in panels:
        return list(result.images)
    _write(panels[result.name](result.tables), folder / name)
    return [name]


def predecessor(tables: Sequence[Table]) -> list[Panel]:
    """Accuracy and latency of both matchers."""
    rows = tables[0].rows
    return [
        Panel(
            "Accuracy on held-out questions",
            "%",
            ("@1", "@2", "@3"),
            {row[0]: [_number(cell) for cell in row[1:4]] for row in rows},
        ),
        Panel("Time for one question", "ms", ("",), {row[0]: [_number(row[6])] for row in rows}),
    ]


def overhead(tables: Sequence[Table]) -> list[Panel]:
    """Throughput in process and over HTTP, a panel for each service."""
    columns = [column.removesuffix(" /s") for column in tables[0].columns[1:5]]
    return [
        Panel(row[0], "requests/s", columns, {"": [_number(cell) for cell in row[1:5]]})
        for row in tables[0].rows
    ]


def backends(tables: Sequence[Table]) -> list[Panel]:
    """The two backends, and decoding by size."""
    network, decoding = tables
    return [
        Panel("ResNet-152", "pictures/s", [row[0] for row in network.rows],
              {"": [_number(row[1]) for row in network.rows]}),
        Panel("Decoding and preprocessing", "ms", [row[0] for row in decoding.rows],
              {"": [_number(row[1]) for row in decoding.rows]}),
    ]  # fmt: skip


def _number(cell: str) -> float:
    return float(cell.rstrip("%").replace(",", ""))


def _write(panels: Sequence[Panel], path: Path) -> None:
    figure = new_figure(10, 3.4)
    for place, panel in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), place)
        for number, (name, values) in enumerate(panel.series.items()):
            shift = (number - (len(panel.series) - 1) / 2) * WIDTH
            places = [position + shift for position in range(len(values))]
            bars = axes.bar(places, values, WIDTH, label=name or None, color=COLOURS[number])
            axes.bar_label(bars, fmt="{:,.1f}", fontsize=8, color=INK, padding=2)
        axes.set_xticks(range(len(panel.labels)), panel.labels, fontsize=8, color=INK)
        axes.set_xlim(-0.6, len(panel.labels) - 0.4)
        axes.set_title(panel.title, loc="left", fontsize=10, color=INK)
        axes.set_ylabel(panel.unit, fontsize=9, color=INK)
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(y=0.15)
        if any(panel.series):
            axes.legend(frameon=False, fontsize=8)
    write_figure(figure, path)
