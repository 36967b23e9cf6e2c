"""ResNet-152 on this machine's CPUs: ONNX Runtime beside torch, and what a picture costs before."""

from __future__ import annotations

import io
import statistics
import time

import numpy as np
from PIL import Image

from benchmarks.in_process import requests_per_second
from benchmarks.models import resnet152_model
from benchmarks.result import Result, Table, Target
from client.load.generated_picture import generated_picture
from services.resnet.app import load
from services.resnet.settings import ResnetSettings
from services.serving.cpu import available_cpus

ROUNDS = 3
SECONDS = 12.0
SIZES = {"500×375": (500, 375), "1920×1080": (1920, 1080), "4000×3000 (12 MP)": (4000, 3000)}
DECODES = 9


def run() -> Result:
    """Measure both backends in turn, then the preparation of pictures."""
    model = resnet152_model()
    cpus = tuple(range(available_cpus()))
    rates: dict[str, list[float]] = {"onnxruntime": [], "torch": []}
    for _ in range(ROUNDS):
        for backend, measured in rates.items():
            measured.append(
                requests_per_second("resnet", model, seconds=SECONDS, cpus=cpus, backend=backend)
            )
    medians = {backend: statistics.median(measured) for backend, measured in rates.items()}
    ratios = [ort / torch for ort, torch in zip(*rates.values(), strict=True)]
    ratio = statistics.median(ratios)
    preprocess = load(ResnetSettings(model=model)).preprocess
    pictures = {name: _milliseconds(preprocess, size) for name, size in SIZES.items()}
    largest = list(pictures.values())[-1]
    return Result(
        name="backends",
        title="ResNet-152 on CPUs",
        notes=[
            f"The path of a picture of 500×375 pixels (decode, preprocess, network, answer) in a "
            f"loop of one process with {available_cpus()} threads, float32; medians of {ROUNDS} "
            "rounds, the two backends in turn. torch runs eagerly. Below, decoding and "
            f"preprocessing alone, in one thread; median of {DECODES}.",
        ],
        tables=[
            Table("Network", ("backend", "pictures/s", "ms per picture"),
                  [[name, f"{rate:.2f}", f"{1000 / rate:,.0f}"] for name, rate in medians.items()]),
            Table("Decoding and preprocessing of a JPEG", ("size", "ms"),
                  [[name, f"{milliseconds:.1f}"] for name, milliseconds in pictures.items()]),
        ],
        targets=[
            Target("ONNX Runtime at least 1.3 times torch eager",
                   f"{ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f})", ratio >= 1.3),
            Target("12-megapixel JPEG under 70 ms", f"{largest:.1f} ms", largest < 70),
        ],
    )  # fmt: skip


def _milliseconds(preprocess, size: tuple[int, int]) -> float:  # type: ignore[no-untyped-def]
    picture = generated_picture(*size)
    assert Image.open(io.BytesIO(picture)).size == size
    times: list[float] = []
    for _ in range(DECODES):
        began = time.perf_counter()
        tensor = preprocess(picture)
        times.append(1000 * (time.perf_counter() - began))
        assert np.isfinite(tensor).all()
    return statistics.median(times)
