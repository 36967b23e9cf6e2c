"""The whole load test: saturation, the open-loop steps, and whether the service recovers."""

from __future__ import annotations

import asyncio
import gc
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from client.address import Address
from client.load.arrivals import Arrivals, schedule
from client.load.closed_loop import ClosedLoop
from client.load.first_request import require_answer
from client.load.open_loop import OpenLoop
from client.load.precise_loop import new_precise_loop
from client.load.saturation import (
    Level,
    Saturation,
    concurrency_levels,
    find_saturation,
    measure_level,
)
from client.load.statistics import Step, step_name, summarise
from client.load.target import LoadRefused, request_bytes, require_permission
from client.load.workload import Workload

SECONDS_LIMIT = 600.0
PAUSE_BETWEEN_STEPS = 1.0
SETTLE_SHARE = 0.2
RECOVERED_LATENCY_FACTOR = 1.5
RECOVERED_LATENCY_SLACK_MS = 5.0
RECOVERED_GOOD_SHARE = 0.99
RECOVERY = "recovery"


@dataclass(frozen=True)
class LoadPlan:
    """What to measure.

    Attributes:
        address: the service; this machine, unless ``permitted_host`` names another.
        workload: what to send.
        api_key: sent with every request.
        rates: offered rates of the steps, as shares of the saturation throughput.
        seconds: length of each step, at most 600.
        deadline_ms: latency up to which an answer counts as good.
        tell_deadline: tell the service the deadline by X-Request-Timeout-Ms.
        arrivals: distribution of the times between arrivals.
        seed: of the arrivals.
        connections: most connections at once.
        timeout: seconds from its schedule after which a request is given up.
        max_requests: the whole test sends no more than this.
        saturation: a known saturation throughput, requests a second; measured where None.
        level_seconds: length of each level when it is measured.
        max_callers: highest concurrency when it is measured.
        recover: after the last step, run the first one again.
        permitted_host: another host that may be loaded.
    """

    address: Address
    workload: Workload
    api_key: str | None = field(default=None, repr=False)
    rates: tuple[float, ...] = (0.5, 0.8, 1.2, 3.0)
    seconds: float = 10.0
    deadline_ms: int = 1000
    tell_deadline: bool = False
    arrivals: Arrivals = Arrivals.POISSON
    seed: int = 1
    connections: int = 256
    timeout: float = 10.0
    max_requests: int = 200_000
    saturation: float | None = None
    level_seconds: float = 3.0
    max_callers: int = 128
    recover: bool = False
    permitted_host: str | None = None

    def __post_init__(self) -> None:
        limits = (
            ("rates", min(self.rates, default=0), 0.01, 100),
            ("number of rates", len(self.rates), 1, 50),
            ("seconds", self.seconds, 0.1, SECONDS_LIMIT),
            ("level seconds", self.level_seconds, 0.1, SECONDS_LIMIT),
            ("deadline", self.deadline_ms, 1, SECONDS_LIMIT * 1000),
            ("timeout", self.timeout, 0.05, SECONDS_LIMIT),
            ("connections", self.connections, 1, 4096),
            ("callers", self.max_callers, 1, 4096),
            ("max requests", self.max_requests, 1, 100_000_000),
            ("saturation", 1 if self.saturation is None else self.saturation, 0.001, 1_000_000),
        )
        for name, value, least, most in limits:
            if not (math.isfinite(value) and least <= value <= most):
                raise ValueError(f"{name}: must be from {least:g} to {most:g}")
        if max(self.rates) > 100:
            raise ValueError("rates: must be from 0.01 to 100")


@dataclass(frozen=True)
class LoadReport:
    """What was measured.

    Attributes:
        plan: what was to be measured.
        saturation: the most that the service can do.
        steps: one per offered rate, and the recovery where asked for.
        recovered: whether the recovery looks like the first step; None without one.
    """

    plan: LoadPlan
    saturation: Saturation
    steps: tuple[Step, ...]
    recovered: bool | None = None


class Observer(Protocol):
    """Hears how a test gets on, to show it."""

    def began(self, name: str) -> None:
        """A level or step begins."""
        ...

    def progress(self, done: int, of: int) -> None:
        """So many of its requests have ended."""
        ...

    def level_ended(self, level: Level) -> None:
        """A level was measured."""
        ...

    def step_ended(self, step: Step) -> None:
        """A step was measured."""
        ...


class SilentObserver:
    """Shows nothing."""

    def began(self, name: str) -> None:
        """Nothing."""

    def progress(self, done: int, of: int) -> None:
        """Nothing."""

    def level_ended(self, level: Level) -> None:
        """Nothing."""

    def step_ended(self, step: Step) -> None:
        """Nothing."""


def run_load_test(plan: LoadPlan, observer: Observer | None = None) -> LoadReport:
    """Run a load test; blocks until it is over. Not to be called from an event loop.

    Raises:
        LoadRefused: the host may not be loaded, or the service does not answer as it should.
    """
    require_permission(plan.address, plan.permitted_host)
    require_answer(plan.address, plan.workload, api_key=plan.api_key, timeout=plan.timeout)
    with asyncio.Runner(loop_factory=new_precise_loop) as runner:
        return runner.run(_LoadTest(plan, observer or SilentObserver()).run())


class _LoadTest:
    def __init__(self, plan: LoadPlan, observer: Observer) -> None:
        self._plan = plan
        self._observer = observer
        self._left = plan.max_requests
        self._requests: Sequence[bytes] = request_bytes(
            plan.address,
            plan.workload,
            api_key=plan.api_key,
            tell_deadline_ms=plan.deadline_ms if plan.tell_deadline else None,
        )

    async def run(self) -> LoadReport:
        saturation = await self._saturation()
        steps: list[Step] = []
        for place, share in enumerate(self._plan.rates):
            if place or saturation.levels:
                await asyncio.sleep(PAUSE_BETWEEN_STEPS)
            steps.append(await self._step(step_name(share), share, saturation, place))
        if not self._plan.recover:
            return LoadReport(self._plan, saturation, tuple(steps))
        # Without a pause: what is left over from the step before is what could hurt.
        again = await self._step(RECOVERY, self._plan.rates[0], saturation, len(steps))
        return LoadReport(self._plan, saturation, (*steps, again), has_recovered(steps[0], again))

    async def _saturation(self) -> Saturation:
        if self._plan.saturation is not None:
            return Saturation(self._plan.saturation, 0, (), "given")
        found = await find_saturation(concurrency_levels(self._plan.max_callers), self._level)
        if not found.levels:
            raise LoadRefused("the limit of requests is too low to measure even one level")
        if not found.throughput:
            raise LoadRefused(f"{self._plan.address}: no request of the first level was answered")
        return found

    async def _level(self, callers: int) -> Level | None:
        if self._left <= 0:
            return None
        self._observer.began(f"{callers} callers")
        closed = ClosedLoop(
            self._plan.address,
            self._requests,
            callers=callers,
            seconds=self._plan.level_seconds,
            timeout=self._plan.timeout,
            most=self._left,
        )
        with _without_garbage_collection():
            recording = await closed.run()
        self._left -= len(recording)
        if self._left <= 0:
            return None
        level = measure_level(
            recording,
            callers=callers,
            began=closed.began,
            seconds=self._plan.level_seconds,
            settle=SETTLE_SHARE * self._plan.level_seconds,
        )
        self._observer.level_ended(level)
        return level

    async def _step(self, name: str, share: float, saturation: Saturation, place: int) -> Step:
        plan = self._plan
        rate = share * saturation.throughput
        times = schedule(
            plan.arrivals,
            rate=rate,
            seconds=plan.seconds,
            seed=plan.seed + place,
            most=self._left + 1,
        )
        cut_short = len(times) > self._left
        if cut_short:
            times = times[: self._left]
        if not times:
            raise LoadRefused(f"the step {name} has no requests: raise --seconds or --max-requests")
        self._left -= len(times)
        self._observer.began(f"{name}, {rate:,.1f} requests/s")
        open_loop = OpenLoop(
            plan.address,
            self._requests,
            times,
            connections=plan.connections,
            timeout=plan.timeout,
            on_progress=lambda ended: self._observer.progress(ended, len(times)),
        )
        with _without_garbage_collection():
            recording = await open_loop.run()
        step = summarise(
            recording,
            name=name,
            share=share,
            began=open_loop.began,
            seconds=len(times) / rate if cut_short else plan.seconds,
            deadline=plan.deadline_ms / 1000,
            cut_short=cut_short,
        )
        self._observer.step_ended(step)
        return step


def has_recovered(first: Step, again: Step) -> bool:
    """Whether a step after an overload looks like the same step before it.

    It does if its share of good answers is at least 99 % of the first one's and its 95th
    percentile is at most half as high again, or 5 ms higher.
    """
    if first.latency is None or again.latency is None:
        return False
    allowed = max(
        RECOVERED_LATENCY_FACTOR * first.latency.p95_ms,
        first.latency.p95_ms + RECOVERED_LATENCY_SLACK_MS,
    )
    good = again.good_share >= RECOVERED_GOOD_SHARE * first.good_share
    return good and again.latency.p95_ms <= allowed


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """A collection would stop the generator for milliseconds in the middle of a step."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
