"""The predecessor's three frameworks on this machine: TensorFlow, Keras and PyTorch, one network."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.cpu_gpu.measure import model_info
from benchmarks.environments import IN_TENSORFLOW, TENSORFLOW, interpreter
from benchmarks.models import KEPT, converted_model, resnet152_model
from benchmarks.result import Result, Table
from client.load.generated_picture import generated_picture
from services.launch import running

PICTURES = 6
REQUESTS, CALLERS = 100, 4
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


@dataclass(frozen=True)
class Measured:
    """Of one framework: seconds to be ready, milliseconds of calls, pictures a second."""

    device: str
    ready_seconds: float
    first_ms: float
    call_ms: float
    rate: float


def run() -> Result:
    """Measure ResNet-152 in each framework, one after the other."""
    if not TENSORFLOW.exists():
        raise SystemExit("frameworks: TensorFlow is missing; run `make tensorflow`")
    return result(resnet152_model())


def result(model: Path) -> Result:
    """Measure the network of a model folder that has an ONNX graph."""
    rows = [_row(each, _measure(each, model)) for each in FRAMEWORKS]
    return Result(
        name="frameworks",
        title="TensorFlow, Keras and PyTorch",
        notes=[
            "One network, seeded ResNet-152 of torchvision, converted for Keras and TensorFlow by "
            "`python -m services.resnet convert` and held to torch's answer within 1e-4 at every "
            f"start. Each service has the whole machine: the mean of {PICTURES} pictures one after "
            f"the other, then {REQUESTS} requests by {CALLERS} callers, as the predecessor measured. "
            "Its figures are of 2018, on an NVIDIA K80 GPU; the device of ours is what the service "
            "reported."
        ],
        tables=[
            Table("Frameworks", ("framework", "device", "ready s", "first call ms",
                                 f"mean of {PICTURES} ms", "pictures/s",
                                 "predecessor ms (K80)", "predecessor pictures/s (K80)"), rows),
        ],
        targets=[],
    )  # fmt: skip


def _row(framework: Framework, measured: Measured) -> list[str]:
    theirs = (framework.their_call_ms, framework.their_rate)
    return [
        framework.title,
        measured.device,
        f"{measured.ready_seconds:.1f}",
        f"{measured.first_ms:,.0f}",
        f"{measured.call_ms:,.0f}",
        f"{measured.rate:.2f}",
        *("–" if value is None else f"{value:.2f}" for value in theirs),
    ]


def _measure(framework: Framework, source: Path) -> Measured:
    is_converted = framework.backend in IN_TENSORFLOW
    model = converted_model(source, framework.backend) if is_converted else source
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
        pictures = [generated_picture(500 + index, 375) for index in range(PICTURES)]
        first, *others = (_milliseconds(client, picture) for picture in (pictures[0], *pictures))
        began = time.perf_counter()
        with ThreadPoolExecutor(CALLERS) as callers:
            work = (pictures[index % PICTURES] for index in range(REQUESTS))
            list(callers.map(lambda picture: _milliseconds(client, picture), work))
        rate = REQUESTS / (time.perf_counter() - began)
        device = model_info(service.metrics_url)["device"]
    return Measured(device, ready, first, statistics.mean(others), rate)


def _milliseconds(client: httpx.Client, picture: bytes) -> float:
    began = time.perf_counter()
    client.post("/v1/classify", content=picture).raise_for_status()
    return 1000 * (time.perf_counter() - began)
