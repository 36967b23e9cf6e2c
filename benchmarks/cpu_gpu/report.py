"""The rows as a table and as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.cpu_gpu.row import Row
from benchmarks.figure import new_figure, write_figure
from benchmarks.result import Table

COLUMNS = ("deployment", "model", "backend", "device", "pods", "saturation pictures/s", "callers",
           "70 % of it /s", "p50 ms", "p95 ms", "p99 ms", "$/hour", "pictures/$")  # fmt: skip


def table(rows: Sequence[Row]) -> Table:
    """One row each, the latencies at 70 % of the saturation."""
    return Table("CPU against GPU", COLUMNS, [_cells(row) for row in rows])


def _cells(row: Row) -> list[str]:
    per_usd, point = row.pictures_per_usd(), row.comfortable
    return [
        row.name,
        row.model,
        row.backend,
        row.device,
        str(row.pods),
        f"{row.saturation:,.2f}",
        str(row.callers),
        f"{point.load:,.2f}",
        *(f"{value:,.0f}" for value in (point.p50_ms, point.p95_ms, point.p99_ms)),
        f"{row.usd_per_hour:,.3f}" if row.usd_per_hour else "–",
        f"{per_usd:,.0f}" if per_usd else "–",
    ]


def plot(rows: Sequence[Row], path: Path) -> None:
    """Draw throughput over concurrency, one line each, the 70 % point marked."""
    figure = new_figure(8, 4)
    axes = figure.add_subplot()
    for row in rows:
        label = f"{row.name}: {row.backend}, {row.pods} × {row.device}"
        callers = [point.load for point in row.levels]
        (line,) = axes.plot(callers, [p.throughput for p in row.levels], marker="o", label=label)
        axes.axhline(row.comfortable.load, color=line.get_color(), linestyle=":", linewidth=1)
    axes.set_xscale("log", base=2)
    axes.set_xlabel("concurrent callers")
    axes.set_ylabel("pictures/s (dotted: 70 % of saturation)")
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    write_figure(figure, path)
