"""A load report as text and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from client.load.load_test import LoadPlan, LoadReport
from client.load.saturation import COMFORTABLE_SHARE, Level
from client.load.statistics import Latency, Step
from client.written_file import write_file

LEVEL_TITLES = ("callers", "answers/s", "p50 ms", "p95 ms", "p99 ms", "refused")
PLOT_FORMATS = ("png", "svg")
WORTH_A_NOTE = 0.05
"""Share of a step's requests that must have waited for a connection to be mentioned."""
STEP_TITLES = (
    "step", "offered/s", "sent/s", "answers/s", "good/s", "good", "p50 ms", "p95 ms", "p99 ms",
    "other answers and failures",
)  # fmt: skip


def text_report(report: LoadReport) -> str:
    """The whole report for a terminal or a file, ending with a line break."""
    plan = report.plan
    paragraphs = [
        f"{plan.workload.name} at {plan.address}: {plan.workload.description}",
        _saturation_text(report),
        f"Open loop: {plan.arrivals} arrivals, {plan.seconds:g} s a step, seed {plan.seed}, "
        f"at most {plan.connections} connections; good is 200 within {plan.deadline_ms} ms\n"
        "of the scheduled time, from which all latencies count.\n"
        + _table(STEP_TITLES, [_step_row(step) for step in report.steps]),
    ]
    notes = [note for step in report.steps for note in step_notes(step)]
    if report.recovered is not None:
        notes.append(
            "The service recovered: the last step looks like the first."
            if report.recovered
            else "The service did NOT recover: the last step does not look like the first."
        )
    if notes:
        paragraphs.append("\n".join(notes))
    return "\n\n".join(paragraphs) + "\n"


def step_notes(step: Step) -> list[str]:
    """What a reader must know before trusting a step's figures."""
    notes: list[str] = []
    if not step.generator_kept_up:
        notes.append(
            f"{step.name}: the generator itself did not keep up "
            f"(its 99th percentile was {step.lag_p99_ms:.0f} ms late); "
            "the figures of this step are not those of the service alone."
        )
    if step.waited >= WORTH_A_NOTE * step.offered:
        notes.append(
            f"{step.name}: {step.waited:,} of {step.offered:,} requests waited for one of the "
            "connections; their wait is part of their latency."
        )
    if step.cut_short:
        notes.append(f"{step.name}: cut short after {step.seconds:.1f} s by --max-requests.")
    return notes


def level_line(level: Level) -> str:
    """One level as one line."""
    p50 = f"p50 {level.latency.p50_ms:.1f} ms" if level.latency else "no answers"
    return f"{level.callers:>4} callers: {level.throughput:>8,.1f} answers/s, {p50}"


def step_line(step: Step) -> str:
    """One step as one line."""
    p99 = f"p99 {step.latency.p99_ms:.1f} ms" if step.latency else "no answers"
    return (
        f"{step.name:>9}: {step.offered_rate:,.1f}/s offered, {step.goodput:,.1f}/s good "
        f"({step.good_share:.0%}), {p99}"
    )


def json_report(report: LoadReport) -> dict[str, object]:
    """The report as plain data: settings, machine, curve and steps. It holds no key."""
    saturation = report.saturation
    return {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "system": platform.system(),
            "processors": os.cpu_count(),
            "python": platform.python_version(),
        },
        "plan": _plan_data(report.plan),
        "saturation": {
            **asdict(saturation),
            "comfortable_rate": saturation.comfortable_rate,
        },
        "steps": [
            {
                **asdict(step),
                "good_share": step.good_share,
                "generator_kept_up": step.generator_kept_up,
            }
            for step in report.steps
        ],
        "recovered": report.recovered,
    }


def write_json(report: LoadReport, path: Path) -> None:
    """Write :func:`json_report`, under another name first."""
    write_file(path, (json.dumps(json_report(report), indent=2) + "\n").encode())


def plot_format(path: Path) -> str:
    """``png`` or ``svg``; ValueError for another suffix."""
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in PLOT_FORMATS:
        raise ValueError(f"{path}: a plot is a .png or .svg file")
    return suffix


def _plan_data(plan: LoadPlan) -> dict[str, object]:
    return {
        "address": str(plan.address),
        "workload": plan.workload.name,
        "path": plan.workload.path,
        "description": plan.workload.description,
        "rates": plan.rates,
        "seconds": plan.seconds,
        "deadline_ms": plan.deadline_ms,
        "tell_deadline": plan.tell_deadline,
        "arrivals": plan.arrivals.value,
        "seed": plan.seed,
        "connections": plan.connections,
        "timeout": plan.timeout,
        "max_requests": plan.max_requests,
    }


def _saturation_text(report: LoadReport) -> str:
    saturation = report.saturation
    figures = (
        f"Saturation: {saturation.throughput:,.1f} answers/s; "
        f"{COMFORTABLE_SHARE:.0%} of it: {saturation.comfortable_rate:,.1f} requests/s."
    )
    if not saturation.levels:
        return f"{figures} (The saturation was given, not measured.)"
    return (
        "Closed loop: each caller asks again once answered.\n"
        + _table(LEVEL_TITLES, [_level_row(level) for level in saturation.levels])
        + f"\n{figures}\nEnded because {saturation.reason}."
    )


def _level_row(level: Level) -> list[str]:
    return [
        str(level.callers),
        f"{level.throughput:,.1f}",
        *_latency_cells(level.latency),
        f"{level.failed_share:.1%}",
    ]


def _step_row(step: Step) -> list[str]:
    others = [f"{count:,} of {code}" for code, count in step.answers.items()]
    if step.refused_latency is not None:
        others[-1] += f" (p99 {step.refused_latency.p99_ms:,.1f} ms)"
    others += [f"{count:,} of: {text}" for text, count in step.failures.items()]
    return [
        step.name,
        f"{step.offered_rate:,.1f}",
        f"{step.sent_rate:,.1f}",
        f"{step.throughput:,.1f}",
        f"{step.goodput:,.1f}",
        f"{step.good_share:.1%}",
        *_latency_cells(step.latency),
        ", ".join(others) or "none",
    ]


def _latency_cells(latency: Latency | None) -> list[str]:
    if latency is None:
        return ["-", "-", "-"]
    return [f"{each:,.1f}" for each in (latency.p50_ms, latency.p95_ms, latency.p99_ms)]


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of figures aligned to the right, the last column of words to the left."""
    words = len(STEP_TITLES) - 1
    widths = [max(len(row[column]) for row in (titles, *rows)) for column in range(len(titles))]
    lines: list[str] = []
    for row in (titles, *rows):
        cells = [
            cell if column == words else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
