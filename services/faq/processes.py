"""Work that is cut in pieces, done by all processors."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

from services.serving.cpu import available_cpus

Result = TypeVar("Result")


def in_processes(task: Callable[[int], Result], pieces: int) -> Iterator[Result]:
    """Yield `task(0)` to `task(pieces - 1)` in order, computed in a process for each processor.

    The processes are copies of this one, so the task may use whatever is in memory here; only the
    results are sent. A single piece, or on a single processor, it is computed here.
    """
    workers = min(available_cpus(), pieces)
    if workers < 2:
        yield from map(task, range(pieces))
        return
    executor = ProcessPoolExecutor(workers, get_context("fork"), _begin, (task,))
    try:
        yield from executor.map(_run, range(pieces))
    finally:
        executor.shutdown(cancel_futures=True)


class _Task:
    run: Callable[[int], Any]


def _begin(task: Callable[[int], Any]) -> None:
    """Keep the task, which a copied process has without it being sent; leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Task.run = staticmethod(task)


def _run(piece: int) -> Any:
    return _Task.run(piece)
