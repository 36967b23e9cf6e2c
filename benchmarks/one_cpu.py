"""A container of one CPU on a machine that has more: our own thread count beside hand-set ones."""

from __future__ import annotations

import statistics
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext

from benchmarks.cpu_group import CpuGroup, one_cpu
from benchmarks.models import KEPT, faq_model, small_image_model
from benchmarks.overhead import Setup, saturate
from benchmarks.peers.process_tree import hold, let_go, turn_of
from benchmarks.result import Result, Table, Target
from client.load import faq_workload, resnet_workload
from services.launch import LaunchedService, launch

AUTOMATIC = 0
HAND_SET = (1, 2, 4)
CALLERS = 4
TURNS = 24
SECONDS = 1.0
LEAST = 0.97


def run() -> Result:
    """Measure both services."""
    setups = (
        Setup("faq", faq_model(), faq_workload(), (0,), SECONDS),
        Setup("resnet", small_image_model(), resnet_workload(), (0,), SECONDS),
    )
    with one_cpu() as group:
        rates = {setup.name: measure(setup, group) for setup in setups}
    limit = (
        "a control group whose quota is one CPU, as a container's with that limit; the machine has "
        "more, and the service's threads may run on all of them"
        if group is not None
        else "one processor by affinity, because this machine lets nobody make a control group with a "
        "quota"
    )
    return Result(
        name="one_cpu",
        title="A container of one CPU",
        notes=[
            f"The services in {limit}. Each is there with the thread count that it finds for itself and "
            "with each that could be set by hand (`--threads`) at the same time. They take turns, in "
            f"another order each time, in which {CALLERS} callers outside the group saturate one for "
            f"{SECONDS:g} s while the others are stopped (SIGSTOP): the machine's speed drifts, and less "
            f"so from one second to the next. Medians of {TURNS} turns each; a ratio is the median of "
            "the turns' ratios. resnet has EfficientNet-Lite0 in ONNX Runtime.",
        ],
        tables=[
            Table(
                "Requests/s",
                ("service", "automatic", *(f"{count} threads" for count in HAND_SET),
                 "automatic / best by hand"),
                [_row(name, each) for name, each in rates.items()],
            )
        ],
        targets=[_target(name, each) for name, each in rates.items()],
    )  # fmt: skip


def measure(setup: Setup, group: CpuGroup | None) -> Mapping[int, Sequence[float]]:
    """Each thread count's requests a second, one figure a turn."""
    counts = (AUTOMATIC, *HAND_SET)
    rates: dict[int, list[float]] = {count: [] for count in counts}
    with ExitStack() as stack:
        services = {count: stack.enter_context(_limited(setup, count, group)) for count in counts}
        for number in range(TURNS):
            first = number % len(counts)
            for count in (*counts[first:], *counts[:first]):
                with turn_of(services[count].process.pid):
                    rates[count].append(saturate(services[count], setup, CALLERS).throughput)
    return rates


@contextmanager
def _limited(setup: Setup, threads: int, group: CpuGroup | None) -> Generator[LaunchedService]:
    """A service that is ready, and held; it ends with the block."""
    cpus = setup.cpus if group is None else ()
    with group.joined() if group is not None else nullcontext():
        service = launch(
            f"services.{setup.name}", "--model", setup.model, "--threads", str(threads),
            "--no-access-log", log_folder=KEPT, cpus=cpus,
        )  # fmt: skip
    try:
        service.wait_until_ready()
        hold(service.process.pid)
        yield service
    finally:
        let_go(service.process.pid)
        service.stop()


def _best(rates: Mapping[int, Sequence[float]]) -> int:
    return max(HAND_SET, key=lambda count: statistics.median(rates[count]))


def _ratios(rates: Mapping[int, Sequence[float]]) -> list[float]:
    pairs = zip(rates[AUTOMATIC], rates[_best(rates)], strict=True)
    return [ours / theirs for ours, theirs in pairs]


def _row(name: str, rates: Mapping[int, Sequence[float]]) -> list[str]:
    medians = [f"{statistics.median(each):,.1f}" for each in rates.values()]
    return [name, *medians, f"{statistics.median(_ratios(rates)):.2f}"]


def _target(name: str, rates: Mapping[int, Sequence[float]]) -> Target:
    ratios = _ratios(rates)
    ratio = statistics.median(ratios)
    return Target(
        f"{name}: the automatic count at least {LEAST} of the best by hand",
        f"{ratio:.3f} ({min(ratios):.2f} to {max(ratios):.2f}; best by hand: {_best(rates)})",
        ratio >= LEAST,
    )
