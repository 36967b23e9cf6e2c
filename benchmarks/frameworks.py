"""The predecessor's three frameworks on this machine: TensorFlow, Keras and PyTorch, one network."""

from __future__ import annotations

import statistics
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.cpu_gpu.measure import model_info
from benchmarks.environments import TENSORFLOW, interpreter
from benchmarks.models import KEPT, model_for, resnet152_model
from benchmarks.result import Result, Table
from client.load.generated_picture import generated_picture
from services.launch import running

PICTURES = 6
ROUNDS, REQUESTS, CALLERS = 5, 24, 4
TIMEOUT = 120.0


@dataclass(frozen=True)
class Framework:
    """A row: its backend, and what the predecessor printed for it on one K80 GPU (AKST, 2018)."""

    title: str
    backend: str
    their_call_ms: float | None
    their_rate: float | None


FRAMEWORKS = (
    Framework("TensorFlow", "tensorflow", 54.55, 17.94),
    Framework("Keras", "keras", 74.75, 13.27),
    Framework("PyTorch", "torch", 56.52, 18.17),
    Framework("ONNX Runtime", "onnxruntime", None, None),
)


COLUMNS = (
    "framework", "device", "ready s", "first call ms", f"mean of {PICTURES} ms", "pictures/s",
    "slowest to fastest round", "beside PyTorch",
    "predecessor ms (K80)", "predecessor pictures/s (K80)",
)  # fmt: skip


@dataclass
class Running:
    """A framework's service that runs, and what was measured of it.

    Attributes:
        ready_seconds: from its start, alone on the machine.
        first_ms: of the first call.
        call_ms: of calls one after the other, in each round.
        rates: pictures a second with several callers, in each round.
    """

    framework: Framework
    client: httpx.Client
    device: str
    ready_seconds: float
    first_ms: float
    call_ms: list[float] = field(default_factory=list[float])
    rates: list[float] = field(default_factory=list[float])


def run() -> Result:
    """Measure ResNet-152 in each framework, in turn."""
    if not TENSORFLOW.exists():
        raise SystemExit("frameworks: TensorFlow is missing; run `make tensorflow`")
    return result(resnet152_model())


def result(model: Path) -> Result:
    """Measure the network of a model folder that has an ONNX graph."""
    pictures = [generated_picture(500 + index, 375) for index in range(PICTURES)]
    with ExitStack() as services:
        all_running = [
            services.enter_context(_started(each, model, pictures[0])) for each in FRAMEWORKS
        ]
        for _ in range(ROUNDS):
            for each in all_running:
                _measure(each, pictures)
    torch_rates = next(each.rates for each in all_running if each.framework.backend == "torch")
    return Result(
        name="frameworks",
        title="TensorFlow, Keras and PyTorch",
        notes=[
            "One network, seeded ResNet-152 of torchvision, converted for Keras and TensorFlow by "
            "`python -m services.resnet convert` and held to torch's answer within 1e-4 at every "
            "start. The four services are started one after the other and then asked in turn, so "
            f"that only one works at a time: in each of {ROUNDS} rounds {PICTURES} pictures one "
            f"after the other, then {REQUESTS} requests by {CALLERS} callers. Medians of the rounds, "
            "and from the slowest to the fastest; beside PyTorch is the median of the rounds' ratios. "
            "The predecessor's figures are of 2018, on an NVIDIA K80 GPU; the device of ours is what "
            "the service reported."
        ],
        tables=[Table("Frameworks", COLUMNS, [_row(each, torch_rates) for each in all_running])],
        targets=[],
    )


def _row(measured: Running, torch_rates: list[float]) -> list[str]:
    framework, rates = measured.framework, measured.rates
    ratio = statistics.median(rate / torch for rate, torch in zip(rates, torch_rates, strict=True))
    theirs = (framework.their_call_ms, framework.their_rate)
    return [
        framework.title,
        measured.device,
        f"{measured.ready_seconds:.1f}",
        f"{measured.first_ms:,.0f}",
        f"{statistics.median(measured.call_ms):,.0f}",
        f"{statistics.median(rates):.2f}",
        f"{min(rates):.2f} to {max(rates):.2f}",
        f"{ratio:.2f}",
        *("–" if value is None else f"{value:.2f}" for value in theirs),
    ]


@contextmanager
def _started(framework: Framework, source: Path, picture: bytes) -> Generator[Running]:
    model = model_for(framework.backend, source)
    options = (
        "--model", model, "--backend", framework.backend, "--no-access-log",
        "--deadline-ms", str(int(1000 * TIMEOUT)),
    )  # fmt: skip
    python = interpreter(framework.backend)
    KEPT.mkdir(exist_ok=True)
    began = time.perf_counter()
    with (
        running("services.resnet", *options, log_folder=KEPT, python=python) as service,
        httpx.Client(base_url=service.url, timeout=TIMEOUT) as client,
    ):
        ready = time.perf_counter() - began
        first = _milliseconds(client, picture)
        device = model_info(service.metrics_url)["device"]
        yield Running(framework, client, device, ready, first)


def _measure(service: Running, pictures: list[bytes]) -> None:
    """One round: calls one after the other, then several callers."""
    service.call_ms.append(
        statistics.mean(_milliseconds(service.client, each) for each in pictures)
    )
    work = (pictures[index % len(pictures)] for index in range(REQUESTS))
    began = time.perf_counter()
    with ThreadPoolExecutor(CALLERS) as callers:
        list(callers.map(lambda picture: _milliseconds(service.client, picture), work))
    service.rates.append(REQUESTS / (time.perf_counter() - began))


def _milliseconds(client: httpx.Client, picture: bytes) -> float:
    began = time.perf_counter()
    client.post("/v1/classify", content=picture).raise_for_status()
    return 1000 * (time.perf_counter() - began)
