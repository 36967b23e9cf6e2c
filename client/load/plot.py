"""A load report as a picture: the saturation curve, latency and goodput."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from client.load.load_test import RECOVERY, LoadReport
from client.load.report import plot_format
from client.load.saturation import COMFORTABLE_SHARE
from client.load.statistics import Step
from client.written_file import write_file

INK, GREY, GRID = "#1f2933", "#7b8794", "#e4e7eb"
BLUE, ORANGE, RED, GREEN = "#1f6fb4", "#d9822b", "#c23030", "#0f8a5f"
GROUPED = FuncFormatter(lambda value, _: f"{value:,g}")
"""Numbers with a comma between thousands."""


def write_plot(report: LoadReport, path: Path) -> None:
    """Draw a report into ``path``, whose suffix says PNG or SVG.

    Raises:
        ValueError: another suffix.
        OSError: it cannot be written.
    """
    suffix = plot_format(path)
    figure = draw(report)
    stream = io.BytesIO()
    figure.savefig(stream, format=suffix, facecolor="white")
    write_file(path, stream.getvalue())


def draw(report: LoadReport) -> Figure:
    """The figure: one panel for the curve if it was measured, one for latency, one for goodput."""
    steps = sorted(
        (step for step in report.steps if step.name != RECOVERY), key=lambda step: step.offered_rate
    )
    panels = 3 if report.saturation.levels else 2
    figure = Figure(figsize=(4.6 * panels, 4.5), dpi=140, layout="constrained")
    FigureCanvasAgg(figure)
    axes: list[Axes] = list(figure.subplots(1, panels))
    if report.saturation.levels:
        _draw_curve(axes[0], report)
    _draw_latency(axes[-2], steps, report)
    _draw_goodput(axes[-1], steps, report)
    for each in axes:
        _style(each)
    plan = report.plan
    figure.suptitle(
        f"{plan.workload.name}: {plan.workload.description}",
        color=INK, fontsize=12, fontweight="bold", x=0.01, ha="left",
    )  # fmt: skip
    return figure


def _draw_curve(axes: Axes, report: LoadReport) -> None:
    saturation = report.saturation
    callers = [level.callers for level in saturation.levels]
    throughput = [level.throughput for level in saturation.levels]
    axes.plot(callers, throughput, "o-", color=BLUE, lw=2, ms=5, label="measured")
    _rule(axes, saturation.throughput, RED, f"saturation, {saturation.throughput:,.0f}/s")
    _rule(
        axes, saturation.comfortable_rate, GREEN,
        f"{COMFORTABLE_SHARE:.0%} of it, {saturation.comfortable_rate:,.0f}/s",
    )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(GROUPED)
    axes.yaxis.set_major_formatter(GROUPED)
    axes.set_ylim(0, saturation.throughput * 1.1)
    _text(axes, "Throughput, closed loop", "callers at once", "answers/s")


def _draw_latency(axes: Axes, steps: Sequence[Step], report: LoadReport) -> None:
    answered = [step for step in steps if step.latency is not None]
    rates = [step.offered_rate for step in answered]
    for name, colour in (("p99_ms", RED), ("p95_ms", ORANGE), ("p50_ms", BLUE)):
        values = [getattr(step.latency, name) for step in answered]
        axes.plot(rates, values, "o-", color=colour, lw=2, ms=5, label=name.removesuffix("_ms"))
    _rule(axes, report.plan.deadline_ms, GREY, f"deadline, {report.plan.deadline_ms} ms")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(GROUPED)
    axes.yaxis.set_minor_formatter(NullFormatter())
    _offered_rates(axes, steps)
    _text(axes, "Latency of answers, open loop", "offered, requests/s", "ms from schedule")


def _draw_goodput(axes: Axes, steps: Sequence[Step], report: LoadReport) -> None:
    rates = [step.offered_rate for step in steps]
    goodput = [step.goodput for step in steps]
    saturation = report.saturation.throughput
    good = f"200 within {report.plan.deadline_ms} ms"
    axes.plot(rates, goodput, "o-", color=GREEN, lw=2, ms=5, label=good)
    axes.plot(
        [0, max(rates)], [0, max(rates)], color=GREY, lw=1, ls=":", label="all that is offered"
    )
    _rule(axes, saturation, RED, "saturation")
    axes.yaxis.set_major_formatter(GROUPED)
    axes.set_ylim(0, max(saturation, *goodput) * 1.15)
    _offered_rates(axes, steps)
    _text(axes, "Goodput, open loop", "offered, requests/s", "good answers/s")


def _offered_rates(axes: Axes, steps: Sequence[Step]) -> None:
    axes.set_xlim(0, max(step.offered_rate for step in steps) * 1.05)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(GROUPED)


def _rule(axes: Axes, y: float, colour: str, label: str) -> None:
    axes.axhline(y, color=colour, lw=1, ls="--", label=label)


def _text(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    # Below the panel, where it can hide nothing.
    axes.legend(
        loc="upper left", bbox_to_anchor=(0, -0.16), ncols=2, frameon=False, fontsize=9,
        labelcolor=INK, borderaxespad=0,
    )  # fmt: skip


def _style(axes: Axes) -> None:
    axes.grid(color=GRID, lw=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=GREY, labelcolor=INK, labelsize=9, which="both", length=3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GREY)
