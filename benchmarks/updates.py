"""What a model update takes: the memory of a service with one model, and with the next beside it."""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson

from benchmarks.environments import interpreter
from benchmarks.machine import resident_megabytes
from benchmarks.models import (
    KEPT,
    faq_model,
    model_for,
    resnet152_model,
    small_image_model,
)
from benchmarks.overhead import Setup, saturate
from benchmarks.result import Result, Table
from client.load import faq_workload, resnet_workload
from services.launch import LaunchedService, running
from services.serving.model_folder import MANIFEST

BACKENDS = ("onnxruntime", "torch", "keras", "tensorflow")
CALLERS = 4
UPDATES = 3
"""Each lets go of the model before the last: memory that grows with them is a leak."""
WAIT_SECONDS = 120.0
SAMPLE_SECONDS = 0.01
TAKEN = re.compile(r'^modelsvc_model_updates_total\{result="taken"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True)
class UpdateSetup(Setup):
    """One service with one backend; the FAQ's has no choice of it."""

    backend: str = ""


@dataclass(frozen=True)
class Memory:
    """Resident megabytes of a service's processes."""

    ready: float
    loaded: float
    updating: float
    after: float


def run() -> Result:
    """Update each model under load."""
    setups = [
        UpdateSetup("faq", faq_model(), faq_workload(), (0,), 3.0),
        _pictures(small_image_model(), "onnxruntime"),
        *(_pictures(resnet152_model(), backend) for backend in BACKENDS),
    ]
    return Result(
        name="updates",
        title="What a model update takes",
        notes=[
            f"Resident memory of all the service's processes: once it is ready, the most with "
            f"{CALLERS} callers at a time, the most while these go on and {UPDATES} updates follow one "
            "another, and at their end, with the model that answers and the one before it. Each "
            "update is a copy of the model folder, renamed into place.",
        ],
        tables=[
            Table(
                "Memory",
                ("model", "backend", "ready MB", "under load MB", "during updates MB", "after MB"),
                [_row(setup) for setup in setups],
            )
        ],
        targets=[],
    )


def _pictures(model: Path, backend: str) -> UpdateSetup:
    return UpdateSetup("resnet", model_for(backend, model), resnet_workload(), (0, 1), 6.0, backend)


def _row(setup: UpdateSetup) -> Sequence[str]:
    memory = measure(setup)
    figures = (memory.ready, memory.loaded, memory.updating, memory.after)
    model = setup.model.name.removesuffix(f"-{setup.backend}")
    return (model, setup.backend or "–", *(f"{each:,.0f}" for each in figures))


def measure(setup: UpdateSetup) -> Memory:
    """Serve a copy of the model, load it, and put further copies in its place."""
    with tempfile.TemporaryDirectory(dir=KEPT) as scratch:
        folder = Path(scratch) / "model"
        shutil.copytree(setup.model, folder)
        options = ("--model", folder, "--no-access-log", "--model-check-seconds", "0.2",
                   "--deadline-ms", "60000")  # fmt: skip
        if setup.backend:
            options = (*options, "--backend", setup.backend)
        with running(
            f"services.{setup.name}",
            *options,
            log_folder=KEPT,
            cpus=setup.cpus,
            python=interpreter(setup.backend),
        ) as service:
            ready = resident_megabytes(service.process.pid)
            with _most(service) as loaded:
                saturate(service, setup, CALLERS)
            with _most(service) as updating, _load(service, setup):
                for number in range(1, UPDATES + 1):
                    _put(setup.model, folder, f"update-{number}")
                    _wait_for_updates(service, number)
                    time.sleep(setup.seconds / 2)
            return Memory(ready, max(loaded), max(updating), updating[-1])


@contextmanager
def _load(service: LaunchedService, setup: Setup) -> Generator[None]:
    """Callers that go on until the block ends."""
    with _again_and_again(lambda: saturate(service, setup, CALLERS)):
        yield


@contextmanager
def _most(service: LaunchedService) -> Generator[list[float]]:
    """Megabytes, looked at again and again while the block lasts."""
    seen = list[float]()
    with _again_and_again(
        lambda: seen.append(resident_megabytes(service.process.pid)), pause=SAMPLE_SECONDS
    ):
        yield seen


@contextmanager
def _again_and_again(act: Callable[[], object], pause: float = 0.0) -> Generator[None]:
    """Act in a thread until the block ends, each time after a pause of so many seconds."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(pause):
            act()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _put(model: Path, folder: Path, version: str) -> None:
    """Rename a copy with another version into place."""
    new, old = folder.with_name(f"{version}.new"), folder.with_name(f"{version}.old")
    shutil.copytree(model, new)
    manifest = orjson.loads((new / MANIFEST).read_bytes())
    (new / MANIFEST).write_bytes(orjson.dumps({**manifest, "version": version}))
    folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old)


def _wait_for_updates(service: LaunchedService, number: int) -> None:
    """
    Raises:
        TimeoutError: fewer models than ``number`` were taken in time.
    """
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        found = TAKEN.search(httpx.get(f"{service.metrics_url}/metrics", timeout=30).text)
        if found is not None and float(found[1]) >= number:
            return
        time.sleep(0.1)
    raise TimeoutError(f"update {number} of {service.name} was not taken: {service.last_line()}")
