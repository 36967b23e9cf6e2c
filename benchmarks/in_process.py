"""The whole path of a request without HTTP, one request after another in one thread.

Run as a process of its own, so that it can be pinned like the service it is compared with:
``python -m benchmarks.in_process faq MODEL SECONDS`` prints requests a second.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent


def requests_per_second(
    service: str, model: Path, *, seconds: float, cpus: Sequence[int], backend: str = ""
) -> float:
    """Requests a second of the in-process path, measured in a process pinned to ``cpus``."""
    done = subprocess.run(
        [
            "taskset", "--cpu-list", ",".join(map(str, cpus)),
            sys.executable, "-m", "benchmarks.in_process", service, str(model), str(seconds),
            backend,
        ],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return float(done.stdout.strip().splitlines()[-1])


def _faq(model: Path, backend: str) -> Callable[[], object]:
    del backend
    from client.load import faq_workload
    from services.faq.app import load
    from services.faq.settings import FaqSettings

    return _loop(load(FaqSettings(model=model)), faq_workload())


def _resnet(model: Path, backend: str) -> Callable[[], object]:
    from client.load import resnet_workload
    from services.resnet.app import load
    from services.resnet.settings import ResnetSettings

    settings = ResnetSettings.model_validate({"model": model, "backend": backend or "auto"})
    return _loop(load(settings), resnet_workload())


def _loop(model, workload) -> Callable[[], object]:  # type: ignore[no-untyped-def]
    from services.serving.model import Incoming, Timing
    from services.serving.scoring import encode

    model.warm_up()
    path = workload.path.partition("?")[0]
    operation = next(each for each in model.operations() if each.path == path)
    bodies = iter(_repeated(workload.bodies))

    def once() -> object:
        call = operation.prepare(Incoming(workload.content_type, {}, next(bodies), None))
        return encode(call.render(model.predict(call.items), Timing(0.0)))

    return once


def _repeated(bodies: Sequence[bytes]):  # type: ignore[no-untyped-def]
    while True:
        yield from bodies


def _measure(once: Callable[[], object], seconds: float) -> float:
    for _ in range(3):
        once()
    count, began = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds:
        once()
        count += 1
    return count / elapsed


def main(arguments: Sequence[str]) -> None:
    """Measure the service named by the arguments."""
    from services.serving.cpu import available_cpus, limit_native_threads

    limit_native_threads(available_cpus())
    service, model, seconds, backend = (*arguments, "")[:4]
    once = {"faq": _faq, "resnet": _resnet}[service](Path(model), backend)
    print(_measure(once, float(seconds)))


if __name__ == "__main__":
    main(sys.argv[1:])
