"""What HTTP costs: throughput beside the same path's in-process loop, and one question's time."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.in_process import requests_per_second
from benchmarks.machine import resident_megabytes
from benchmarks.models import KEPT, faq_model, resnet152_model
from benchmarks.one_in_flight import BARE, INFER, LENGTH, SCORE, milliseconds
from benchmarks.result import Result, Table, Target
from client.address import read_address
from client.load import Workload, faq_workload, resnet_workload
from client.load.closed_loop import ClosedLoop
from client.load.precise_loop import new_precise_loop
from client.load.saturation import Level, measure_level
from client.load.target import request_bytes
from services.launch import LaunchedService, running

CALLERS = (1, 4, 16)
ROUNDS = 3
CALLER_CPUS = (1,)
MOST_ADDED = 0.6
"""Milliseconds that HTTP and protocol may add to one question."""


@dataclass(frozen=True)
class Setup:
    """One service as it is measured."""

    name: str
    model: Path
    workload: Workload
    cpus: Sequence[int]
    seconds: float


def run() -> Result:
    """Measure both services."""
    faq = Setup("faq", faq_model(), faq_workload(), (0,), 4.0)
    resnet = Setup("resnet", resnet152_model(), resnet_workload(), (0, 1), 8.0)
    faq_rows, faq_rates, faq_memory = measure(faq)
    resnet_rows, resnet_rates, _ = measure(resnet)
    columns = ("service", "in process /s", *(f"HTTP, {each} callers /s" for each in CALLERS),
               "best ratio", "memory MB")  # fmt: skip
    alone = one_question(faq)
    resnet_ratio = resnet_rates[4] / resnet_rates[0]
    return Result(
        name="overhead",
        title="What HTTP costs",
        notes=[
            "Requests a second of the service, saturated by so many callers, beside the same path "
            "(parse, validate, decode, score, render) called in a loop in one process on the same "
            f"cores. Medians of {ROUNDS} rounds, the two in turn. faq has one core, and its "
            "callers the other; resnet (ResNet-152, ONNX Runtime) has both. Memory is that of all the "
            "service's processes under that load.",
            f"One question: {LENGTH} characters, one request in flight on one connection; every "
            "question is put to the bare call (text to ranking, in the caller's own process) and to "
            f"both routes in turn. Medians of {ROUNDS} rounds' medians; the service has one core, the "
            "caller the other.",
        ],
        tables=[
            Table("Throughput", columns, [faq_rows, resnet_rows]),
            Table("faq: one question", ("asked", "median ms", "added ms"),
                  [[name, f"{value:.2f}", "" if name == BARE else f"{value - alone[BARE]:.2f}"]
                   for name, value in alone.items()]),
        ],
        targets=[
            Target("faq over HTTP on one core: at least 300 requests/s",
                   f"{max(faq_rates[each] for each in CALLERS):,.0f}",
                   max(faq_rates[each] for each in CALLERS) >= 300),
            Target("faq: resident memory under 300 MB", f"{faq_memory:,.0f} MB", faq_memory < 300),
            Target("resnet with 4 callers: at least 95 % of in-process",
                   f"{resnet_ratio:.1%}", resnet_ratio >= 0.95),
            *(Target(f"faq {route}: under {MOST_ADDED} ms over the bare call",
                     f"{alone[route] - alone[BARE]:.2f} ms", alone[route] - alone[BARE] < MOST_ADDED)
              for route in (SCORE, INFER)),
        ],
    )  # fmt: skip


def measure(setup: Setup) -> tuple[list[str], dict[int, float], float]:
    """A table row, the median rate for each number of callers (0: in process), and the memory."""
    rates: dict[int, list[float]] = {callers: [] for callers in (0, *CALLERS)}
    memory = 0.0
    for _ in range(ROUNDS):
        rates[0].append(
            requests_per_second(setup.name, setup.model, seconds=setup.seconds, cpus=setup.cpus)
        )
        options = ("--model", setup.model, "--no-access-log")
        with running(
            f"services.{setup.name}", *options, log_folder=KEPT, cpus=setup.cpus
        ) as service:
            for callers in CALLERS:
                rates[callers].append(saturate(service, setup, callers).throughput)
            memory = max(memory, resident_megabytes(service.process.pid))
    medians = {callers: statistics.median(each) for callers, each in rates.items()}
    best = max(medians[callers] for callers in CALLERS) / medians[0]
    row = [setup.name, *(f"{rate:,.1f}" for rate in medians.values()), f"{best:.1%}",
           f"{memory:,.0f}"]  # fmt: skip
    return row, medians, memory


def one_question(setup: Setup) -> Mapping[str, float]:
    """Milliseconds of the bare call and of each route, with one request in flight."""
    options = ("--model", setup.model, "--no-access-log")
    rounds: list[Mapping[str, float]] = []
    for _ in range(ROUNDS):
        with running(
            f"services.{setup.name}", *options, log_folder=KEPT, cpus=setup.cpus
        ) as service:
            rounds.append(milliseconds(setup.model, service.url, cpus=CALLER_CPUS))
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}


def saturate(service: LaunchedService, setup: Setup, callers: int) -> Level:
    """One level of concurrency against a running service."""
    address = read_address(service.url)
    requests = request_bytes(address, setup.workload)

    async def closed_loop() -> Level:
        loop = ClosedLoop(
            address, requests, callers=callers, seconds=setup.seconds, timeout=30.0, most=1_000_000
        )
        recording = await loop.run()
        return measure_level(
            recording,
            callers=callers,
            began=loop.began,
            seconds=setup.seconds,
            settle=0.2 * setup.seconds,
        )

    with asyncio.Runner(loop_factory=new_precise_loop) as runner:
        return runner.run(closed_loop())
