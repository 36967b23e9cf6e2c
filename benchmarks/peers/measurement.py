"""What is measured of a server, and the loads that do it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from benchmarks.peers.pairs import Pair
from benchmarks.peers.running_server import STOP_SECONDS, RunningServer
from client.load import Arrivals, LoadPlan, Step, Workload, run_load_test
from client.load.arrivals import schedule
from client.load.closed_loop import ClosedLoop
from client.load.open_loop import OpenLoop
from client.load.precise_loop import new_precise_loop
from client.load.recording import UNKNOWN, Recording
from client.load.statistics import step_name, summarise
from client.load.target import request_bytes

CALLERS = (1, 4, 16, 64)
RATES = (0.5, 0.8, 1.2, 3.0)
HIGH_RATE, OVERLOAD = 0.8, 3.0
"""At which latencies are compared, and at which good answers."""
OPEN_DEADLINES = 3
CONNECTIONS = 1024
TIMEOUT_SECONDS = 5.0
ENDING_LOAD = 0.5
SIGTERM_AFTER_SECONDS = 1.0
WARM_UP_SECONDS = 0.5


@dataclass(frozen=True)
class Cell:
    """One load. Rates are a second, times in milliseconds.

    Attributes:
        name: ``c=4``, or ``80 %`` of the server's own saturation.
        offered: requests; in the closed loop those that were sent.
        answers: answers 200.
        good: answers 200 within the deadline.
        others: what came instead, and how often.
    """

    name: str
    offered: float
    answers: float
    good: float
    p50: float | None
    p95: float | None
    p99: float | None
    others: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Ending:
    """SIGTERM at half the load that the server can bear.

    Attributes:
        under_way: requests sent before it and not answered yet.
        lost: those of them that got no answer 200.
        offered_after: requests in the second after it.
        failed_after: those of them that got no answer 200.
        seconds: until the process ended; None if it had to be killed.
    """

    under_way: int
    lost: int
    offered_after: int
    failed_after: int
    seconds: float | None


@dataclass(frozen=True)
class Measured:
    """What was found of a server, or why nothing was.

    Attributes:
        pairs: turns of ours right after one of another server's.
    """

    service: str
    server: str
    configuration: str
    version: str = ""
    error: str = ""
    ready_seconds: float = 0.0
    memory_megabytes: float = 0.0
    cells: Sequence[Cell] = ()
    ending: Ending | None = None
    note: str = ""
    pairs: Sequence[Pair] = ()

    @property
    def saturation(self) -> float:
        """The most answers a second in the closed loop."""
        return max((cell.answers for cell in self.cells[: len(CALLERS)]), default=0.0)

    def cell(self, name: str) -> Cell | None:
        """The cell of that name, if it was measured."""
        return next((each for each in self.cells if each.name == name), None)

    def load_at(self, share: float) -> str:
        """What the cell of another server is called that was measured with this one's arrivals."""
        return f"{step_name(share)} of {self.server} {self.configuration}"

    @classmethod
    def from_json(cls, document: dict) -> Measured:  # type: ignore[type-arg]
        """What :meth:`to_json` wrote."""
        ending = document["ending"]
        cells = tuple(Cell(**cell) for cell in document["cells"])
        pairs = tuple(Pair(**pair) for pair in document["pairs"])
        return cls(
            **{**document, "cells": cells, "ending": ending and Ending(**ending), "pairs": pairs}
        )

    def to_json(self) -> dict[str, object]:
        """The figures as plain data."""
        return asdict(self)


def open_seconds(seconds: float, deadline: float) -> float:
    """How long arrivals go on: in under three deadlines a queue without bounds would not show."""
    return max(seconds, OPEN_DEADLINES * deadline)


class Load:
    """The loads on one server.

    Args:
        seconds: that callers ask; :func:`open_seconds` says for how long arrivals go on.
        deadline: seconds from a request's scheduled arrival to a good answer.
    """

    def __init__(
        self, server: RunningServer, workload: Workload, seconds: float, deadline: float
    ) -> None:
        self._server = server
        self._workload = workload
        self._seconds = seconds
        self._deadline = deadline
        self._requests = request_bytes(server.address, workload)

    def warm_up(self) -> None:
        """Half a second that is nobody's."""
        self._closed(CALLERS[1], WARM_UP_SECONDS)

    def closed(self, callers: int) -> Cell:
        """Throughput and latency with so many callers."""
        return self._closed(callers, self._seconds)

    def _closed(self, callers: int, seconds: float) -> Cell:
        with asyncio.Runner(loop_factory=new_precise_loop) as runner:
            return runner.run(self._closed_loop(callers, seconds))

    async def _closed_loop(self, callers: int, seconds: float) -> Cell:
        loop = ClosedLoop(
            self._server.address, self._requests, callers=callers, seconds=seconds,
            timeout=TIMEOUT_SECONDS, most=1_000_000,
        )  # fmt: skip
        recording = await loop.run()
        # To the last answer: large batches answer in bursts, one more or less of which would count.
        ended = max(recording.finished, default=loop.began + seconds)
        step = summarise(
            recording, name=f"c={callers}", share=0, began=loop.began, seconds=ended - loop.began,
            deadline=self._deadline,
        )  # fmt: skip
        return _cell(step)

    def open(self, share: float, saturation: float) -> Cell:
        """Arrivals that do not wait, at a share of what the server can do."""
        plan = LoadPlan(
            self._server.address, self._workload, rates=(share,),
            seconds=open_seconds(self._seconds, self._deadline),
            deadline_ms=int(self._deadline * 1000), seed=1 + RATES.index(share),
            connections=CONNECTIONS, timeout=TIMEOUT_SECONDS, saturation=saturation,
        )  # fmt: skip
        (step,) = run_load_test(plan).steps
        return _cell(step)

    def end(self, saturation: float) -> Ending:
        """Send SIGTERM under load."""
        with asyncio.Runner(loop_factory=new_precise_loop) as runner:
            recording, at, seconds = runner.run(self._ending_loop(ENDING_LOAD * saturation))
        before = [
            row
            for row, sent in enumerate(recording.sent)
            if sent != UNKNOWN and sent < at <= recording.finished[row]
        ]
        after = [row for row, due in enumerate(recording.scheduled) if at <= due < at + 1]
        return Ending(
            len(before), _failed(recording, before), len(after), _failed(recording, after), seconds
        )

    async def _ending_loop(self, rate: float) -> tuple[Recording, float, float | None]:
        times = schedule(Arrivals.POISSON, rate=rate, seconds=2.0, seed=9, most=1_000_000)
        loop = asyncio.get_running_loop()
        load = OpenLoop(
            self._server.address, self._requests, times, connections=CONNECTIONS,
            timeout=TIMEOUT_SECONDS,
        )  # fmt: skip

        async def end() -> tuple[float, float | None]:
            await asyncio.sleep(SIGTERM_AFTER_SECONDS)
            at = loop.time()
            self._server.process.terminate()
            while (seconds := loop.time() - at) < STOP_SECONDS:
                if self._server.process.poll() is not None:
                    # As in a container, whose processes do not outlive its first one.
                    self._server.kill_what_is_left()
                    return at, seconds
                await asyncio.sleep(0.02)
            return at, None

        ending = asyncio.create_task(end())
        recording = await load.run()
        at, seconds = await ending
        return recording, at, seconds


def _failed(recording: Recording, rows: Sequence[int]) -> int:
    return sum(recording.outcome[row] != 200 for row in rows)


def _cell(step: Step) -> Cell:
    others = {str(code): count for code, count in step.answers.items()} | step.failures
    latency = step.latency
    return Cell(
        name=step.name,
        offered=step.offered_rate,
        answers=step.throughput,
        good=step.goodput,
        p50=latency and latency.p50_ms,
        p95=latency and latency.p95_ms,
        p99=latency and latency.p99_ms,
        others=others,
    )


def use_the_other_core() -> None:
    """Keep this process, which makes the load, off the server's core."""
    allowed = os.sched_getaffinity(0)
    others = allowed - {0}
    if others:
        os.sched_setaffinity(0, others)
