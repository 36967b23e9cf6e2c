"""The services as open systems: arrivals at 50, 80, 120 and 300 % of what they can do."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace

from benchmarks.machine import resident_megabytes
from benchmarks.models import KEPT, faq_model, resnet152_model
from benchmarks.overhead import Setup
from benchmarks.record import IMAGES
from benchmarks.result import Result, Table, Target
from client.address import read_address
from client.load import (
    LoadPlan,
    LoadReport,
    Step,
    faq_workload,
    resnet_workload,
    run_load_test,
)
from client.load.plot import write_plot
from services.launch import running

OVERLOAD = 3.0
COLUMNS = ("offered", "requests/s", "answers/s", "good/s", "good of saturation", "p50 ms", "p95 ms",
           "p99 ms", "refused", "refused p99 ms", "other failures")  # fmt: skip


@dataclass(frozen=True)
class LoadSetup(Setup):
    """One service as it is loaded; the overload is repeated ``rounds`` times."""

    deadline_ms: int
    rounds: int


def run() -> Result:
    """Load both services."""
    setups = (
        LoadSetup("faq", faq_model(), faq_workload(), (0,), 10.0, 1000, 5),
        LoadSetup("resnet", resnet152_model(), resnet_workload(), (0, 1), 30.0, 10_000, 2),
    )
    tables: list[Table] = []
    targets: list[Target] = []
    images: list[str] = []
    for setup in setups:
        report, shares, before, after = load(setup)
        image = f"load-{setup.name}.png"
        IMAGES.mkdir(parents=True, exist_ok=True)
        write_plot(report, IMAGES / image)
        images.append(image)
        tables.append(table(setup, report))
        targets += judge(setup, report, shares, before, after)
    return Result(
        name="load",
        title="Load",
        notes=[
            "Poisson arrivals that do not wait for answers; a latency counts from the scheduled "
            "arrival. Good is a 200 within the deadline (faq 1 s, ResNet-152 10 s). Saturation was "
            "measured first, by raising the number of callers until throughput stopped growing. "
            "faq has one core and the generator the other; resnet shares both with it. The last row "
            "follows the overload without a pause. The share kept in overload is the median of "
            "rounds that each measure saturation and then 300 % of it.",
        ],
        tables=tables,
        targets=targets,
        images=images,
    )


def load(setup: LoadSetup) -> tuple[LoadReport, list[float], float, float]:
    """The report, each round's goodput as a share of saturation, and memory in MB before and after.

    A shared machine's speed drifts by more than what is to be shown, so every round measures
    saturation and overload right after one another.
    """
    options = (
        "--model", setup.model, "--no-access-log", "--deadline-ms", str(setup.deadline_ms),
    )  # fmt: skip
    with running(f"services.{setup.name}", *options, log_folder=KEPT, cpus=setup.cpus) as service:
        plan = LoadPlan(
            read_address(service.url),
            setup.workload,
            seconds=setup.seconds,
            deadline_ms=setup.deadline_ms,
            timeout=2 * setup.deadline_ms / 1000,
            level_seconds=max(3.0, setup.seconds / 3),
            max_callers=32,
            max_requests=2_000_000,
            recover=True,
        )
        before = resident_megabytes(service.process.pid)
        report = run_load_test(plan)
        shares = [_overload_share(report)]
        for _ in range(setup.rounds - 1):
            shares.append(
                _overload_share(run_load_test(replace(plan, rates=(OVERLOAD,), recover=False)))
            )
        return report, shares, before, resident_megabytes(service.process.pid)


def _overload_share(report: LoadReport) -> float:
    overload = next(step for step in report.steps if step.share == OVERLOAD)
    return overload.goodput / report.saturation.throughput


def table(setup: LoadSetup, report: LoadReport) -> Table:
    """One row per step."""
    saturation = report.saturation
    title = (
        f"{setup.name}: saturation {saturation.throughput:,.1f} answers/s with "
        f"{saturation.callers} callers; 70 % of it is {saturation.comfortable_rate:,.1f} requests/s"
    )
    return Table(title, COLUMNS, [_row(step, saturation.throughput) for step in report.steps])


def judge(
    setup: LoadSetup, report: LoadReport, shares: list[float], before: float, after: float
) -> list[Target]:
    """What overload must look like."""
    overload = next(step for step in report.steps if step.share == OVERLOAD)
    recovery = report.steps[-1]
    share = statistics.median(shares)
    rounds = ", ".join(f"{each:.0%}" for each in shares)
    refused = overload.refused_latency.p99_ms if overload.refused_latency else 0.0
    others = sum(overload.failures.values()) + sum(
        count for code, count in overload.answers.items() if str(code) != "503"
    )
    return [
        Target(f"{setup.name} at 300 %: goodput at least 90 % of saturation",
               f"{share:.0%} (median of {rounds})", share >= 0.9),
        Target(f"{setup.name} at 300 %: nothing else but 503", f"{others} others", others == 0),
        Target(
            f"{setup.name}: right after 300 %, at least 99 % of the requests are good again",
            f"{recovery.good_share:.1%}",
            recovery.good_share >= 0.99,
        ),
        Target(f"{setup.name}: memory bounded (at most a quarter more after the load)",
               f"{before:,.0f} → {after:,.0f} MB", after < 1.25 * before),
        Target(f"{setup.name} at 300 %: refusals within 100 ms (99th percentile)",
               f"{refused:,.1f} ms", refused < 100),
    ]  # fmt: skip


def _row(step: Step, saturation: float) -> list[str]:
    latency = step.latency
    percentiles = (
        [f"{latency.p50_ms:,.1f}", f"{latency.p95_ms:,.1f}", f"{latency.p99_ms:,.1f}"]
        if latency
        else ["–", "–", "–"]
    )
    refused = step.answers.get(503, 0)
    others = {code: count for code, count in step.answers.items() if code != 503} | step.failures
    return [
        step.name,
        f"{step.offered_rate:,.1f}",
        f"{step.throughput:,.1f}",
        f"{step.goodput:,.1f}",
        f"{step.goodput / saturation:.0%}",
        *percentiles,
        f"{refused:,} × 503" if refused else "0",
        f"{step.refused_latency.p99_ms:,.1f}" if step.refused_latency else "–",
        ", ".join(f"{count:,} × {name}" for name, count in others.items()) or "0",
    ]
