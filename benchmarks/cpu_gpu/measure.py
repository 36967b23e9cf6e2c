"""Measuring one endpoint: what runs there, its saturation, and its latency at 70 % of that."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import httpx
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.cpu_gpu.row import NotUsable, Point, Row
from benchmarks.machine import describe_machine
from client.address import read_address
from client.api_key import find_key
from client.load import Latency, Level, LoadPlan, LoadRefused, Step, resnet_workload, run_load_test

COMFORTABLE = 0.7


@dataclass(frozen=True)
class Deployment:
    """What is to be measured.

    Attributes:
        name: of its row.
        url: of the API, such as that of the gateway.
        metrics_url: of one pod's metrics, by which the device is proved.
        pods: how many answer there.
        device: where they are to run; another device is an error and not a row.
        usd_per_hour: price of the nodes under these pods.
        key_file: API key; else the variable SCORING_API_KEY.
    """

    name: str
    url: str
    metrics_url: str
    pods: int
    device: Literal["cpu", "gpu"]
    usd_per_hour: float | None
    key_file: Path | None = None


@dataclass(frozen=True)
class Effort:
    """How long and how hard it is measured."""

    seconds: float = 20.0
    level_seconds: float = 8.0
    max_callers: int = 64
    permitted_host: str | None = None


class _Told:
    """Shows on standard error how a measurement gets on."""

    def __init__(self, name: str) -> None:
        self._name = name

    def began(self, name: str) -> None:
        print(f"{self._name}: {name} …", file=sys.stderr, flush=True)

    def progress(self, done: int, of: int) -> None:
        if sys.stderr.isatty():
            print(f"\r  {done}/{of}", end="\r", file=sys.stderr, flush=True)

    def level_ended(self, level: Level) -> None:
        print(f"  {level.callers} callers: {level.throughput:.1f} pictures/s", file=sys.stderr)

    def step_ended(self, step: Step) -> None:
        print(f"  offered {step.offered_rate:.1f}/s: {step.throughput:.1f}/s", file=sys.stderr)


def measure(deployment: Deployment, effort: Effort, environment: dict[str, str]) -> Row:
    """Measure a deployment.

    Raises NotUsable when it does not answer, may not be loaded, or does not run where it is said to.
    """
    info = model_info(deployment.metrics_url)
    require_device(deployment, info["device"])
    try:
        plan = LoadPlan(
            read_address(deployment.url),
            resnet_workload(),
            api_key=find_key(deployment.key_file, environment),
            rates=(COMFORTABLE,),
            seconds=effort.seconds,
            deadline_ms=60_000,
            timeout=120,
            level_seconds=effort.level_seconds,
            max_callers=effort.max_callers,
            permitted_host=effort.permitted_host,
        )
        report = run_load_test(plan, _Told(deployment.name))
    except (LoadRefused, ValueError, OSError) as error:
        raise NotUsable(f"{deployment.name}: {error}") from None
    step = report.steps[0]
    return Row(
        name=deployment.name,
        pods=deployment.pods,
        device=info["device"],
        backend=info["backend"],
        model=info["name"],
        usd_per_hour=deployment.usd_per_hour,
        saturation=report.saturation.throughput,
        callers=report.saturation.callers,
        levels=tuple(
            _point(level.callers, level.throughput, level.latency)
            for level in report.saturation.levels
            if level.latency
        ),
        comfortable=_point(step.offered_rate, step.throughput, step.latency),
        machine=describe_machine(),
        date=datetime.now(UTC).date().isoformat(),
    )


def model_info(metrics_url: str) -> dict[str, str]:
    """The labels of `modelsvc_model_info`: what a pod says of its own model.

    Raises NotUsable when they cannot be read.
    """
    try:
        answer = httpx.get(f"{metrics_url.rstrip('/')}/metrics", timeout=10)
        answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NotUsable(
            f"the metrics cannot be read ({reason}); forward a pod's port 9090"
        ) from None
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            if sample.name == "modelsvc_model_info" and "device" in sample.labels:
                return dict(sample.labels)
    raise NotUsable("the metrics do not say which model runs on which device")


def require_device(deployment: Deployment, ran_on: str) -> None:
    """A row of a GPU is measured on a GPU, and a CPU's on a CPU.

    Raises NotUsable when the service says otherwise.
    """
    kind = "gpu" if ran_on.startswith("cuda") else "cpu"
    if kind != deployment.device:
        raise NotUsable(
            f"{deployment.name}: --device {deployment.device}, and the service runs on {ran_on}"
        )


def _point(load: float, throughput: float, latency: Latency | None) -> Point:
    if latency is None:
        raise NotUsable("nothing was answered at 70 % of the saturation")
    return Point(
        load=load,
        throughput=throughput,
        p50_ms=latency.p50_ms,
        p95_ms=latency.p95_ms,
        p99_ms=latency.p99_ms,
    )
