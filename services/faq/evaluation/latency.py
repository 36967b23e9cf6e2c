"""How long a question takes and how much memory the model needs, in a process of its own that has
loaded nothing but what serves.

    python -m services.faq.evaluation.latency MODEL < questions.json
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import orjson

from services.faq.analysis import terms_of_posted
from services.faq.storage import load_model

_WARM_UP: Final = 20
MOST_TIMED: Final = 500
_MIB: Final = 1 << 20


class LatencyUnknown(Exception):
    """The measuring process failed; the message is its last line."""


@dataclass(frozen=True)
class Latency:
    """Milliseconds from a posted text to its ranking, one question at a time, in one thread."""

    questions: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    mean_ms: float
    load_seconds: float
    """To read the model folder."""
    resident_mib: float | None
    """Memory of the process with the model and after the questions; unknown but on Linux."""


def measure_latency(model: Path, questions: Sequence[str]) -> Latency:
    """Measure a model folder in another process.

    Args:
        model: the folder.
        questions: at least one; the first `MOST_TIMED` are timed.

    Raises:
        LatencyUnknown: the process failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(model)],
        input=orjson.dumps(list(questions[:MOST_TIMED])),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise LatencyUnknown(lines[-1] if lines else f"exit status {done.returncode}")
    return Latency(**orjson.loads(done.stdout))


def _measure(model: Path, questions: Sequence[str]) -> Latency:
    started = time.perf_counter()
    scorer = load_model(model).scorer
    loaded = time.perf_counter() - started
    for text in questions[:_WARM_UP]:
        scorer.rank([terms_of_posted(text)])
    milliseconds: list[float] = []
    for text in questions:
        began = time.perf_counter()
        scorer.rank([terms_of_posted(text)])
        milliseconds.append(1000 * (time.perf_counter() - began))
    p50, p95, p99 = np.quantile(milliseconds, [0.5, 0.95, 0.99]).tolist()
    return Latency(
        questions=len(questions),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        mean_ms=float(np.mean(milliseconds)),
        load_seconds=loaded,
        resident_mib=_resident_mib(),
    )


def _resident_mib() -> float | None:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) * 1024 / _MIB for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    print(orjson.dumps(_measure(Path(sys.argv[1]), orjson.loads(sys.stdin.buffer.read()))).decode())
