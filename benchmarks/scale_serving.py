"""One process that serves a model to one caller: ``python -m benchmarks.scale_serving FOLDER``.

``FOLDER`` has a model and questions; what was measured is printed as JSON. A process of its own, so
that its memory is that of serving alone.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

WARM_UP = 50


@dataclass(frozen=True)
class Served:
    """Times of questions in milliseconds, memory in MB."""

    load_seconds: float
    cpu_p50: float
    cpu_p99: float
    wall_p50: float
    wall_p99: float
    resident: float
    private: float
    """What of it is not a map of the model's files, and so not shared with other processes."""


def measure(folder: Path) -> Served:
    """Load the model as the service does, and ask it one question after the other."""
    import numpy as np

    from services.faq.app import load
    from services.faq.settings import FaqSettings
    from services.serving.model import Incoming, Timing
    from services.serving.scoring import encode

    began = time.perf_counter()
    model = load(FaqSettings(model=folder / "model"))
    model.warm_up()
    load_seconds = time.perf_counter() - began
    match = next(each for each in model.operations() if each.path == "/v1/match")
    texts = json.loads((folder / "questions.json").read_text())
    bodies = [json.dumps({"question": text, "top_k": 3}).encode() for text in texts]
    cpu, wall = [], []
    for body in bodies[:WARM_UP] + bodies:
        cpu_began, wall_began = time.thread_time(), time.perf_counter()
        call = match.prepare(Incoming("application/json", {}, body, None))
        encode(call.render(model.predict(call.items), Timing(0.0)))
        cpu.append(1000 * (time.thread_time() - cpu_began))
        wall.append(1000 * (time.perf_counter() - wall_began))
    resident, mapped = _memory()
    return Served(
        load_seconds,
        *np.percentile(cpu[WARM_UP:], (50, 99)).tolist(),
        *np.percentile(wall[WARM_UP:], (50, 99)).tolist(),
        resident,
        resident - mapped,
    )


def _memory() -> tuple[float, float]:
    lines = Path(f"/proc/{os.getpid()}/status").read_text().splitlines()
    sizes = {line.partition(":")[0]: line.split()[1] for line in lines if line.startswith("Rss")}
    return sum(map(int, sizes.values())) / 1000, int(sizes["RssFile"]) / 1000


if __name__ == "__main__":
    from services.serving.cpu import limit_native_threads

    limit_native_threads(1)
    print(json.dumps(asdict(measure(Path(sys.argv[1])))))
