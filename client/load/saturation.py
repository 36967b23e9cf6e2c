"""The most that a service can do, found by raising the concurrency until nothing more comes.

The method is that of the predecessor's co-author: raise the number of callers until throughput
stops growing or errors begin, and run the service at about 70 % of that point, where it behaves
markedly better.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from client.load.recording import Recording
from client.load.statistics import Latency, latency_of

COMFORTABLE_SHARE = 0.7
GROWTH = 1.05
"""A level must bring at least this much more than the best before it to count as growth."""
LEVELS_WITHOUT_GROWTH = 2
REFUSED_SHARE = 0.01
"""From this share of refused or failed requests on, the service is said to be saturated."""


@dataclass(frozen=True)
class Level:
    """One level of concurrency.

    Attributes:
        callers: requests under way at any time.
        throughput: answers 200 a second.
        latency: of those answers; None if there are none.
        failed_share: share of requests that were refused or failed.
    """

    callers: int
    throughput: float
    latency: Latency | None
    failed_share: float


@dataclass(frozen=True)
class Saturation:
    """The curve of throughput over concurrency and the point where it ends.

    Attributes:
        throughput: answers 200 a second at the best level.
        callers: concurrency of the best level; 0 if the throughput was given, not measured.
        levels: the curve.
        reason: why no more callers were tried.
    """

    throughput: float
    callers: int
    levels: tuple[Level, ...]
    reason: str

    @property
    def comfortable_rate(self) -> float:
        """70 % of the saturation throughput, requests a second."""
        return COMFORTABLE_SHARE * self.throughput


def concurrency_levels(most: int) -> list[int]:
    """1, 2, 4, … up to ``most``, which is the last one."""
    levels = [1]
    while levels[-1] * 2 < most:
        levels.append(levels[-1] * 2)
    return levels if most == 1 else [*levels, most]


def measure_level(
    recording: Recording, *, callers: int, began: float, seconds: float, settle: float
) -> Level:
    """The figures of one level, from ``settle`` seconds after its beginning on."""
    since, until = began + settle, began + seconds
    latencies: list[float] = []
    failed = 0
    for row, outcome in enumerate(recording.outcome):
        if not since <= recording.finished[row] <= until:
            continue
        if outcome == HTTPStatus.OK:
            latencies.append(recording.finished[row] - recording.scheduled[row])
        else:
            failed += 1
    ended = len(latencies) + failed
    return Level(
        callers=callers,
        throughput=len(latencies) / (seconds - settle),
        latency=latency_of(latencies),
        failed_share=failed / ended if ended else 0.0,
    )


async def find_saturation(
    callers: Sequence[int], measure: Callable[[int], Awaitable[Level | None]]
) -> Saturation:
    """Measure levels until throughput stops growing.

    Args:
        callers: the levels of concurrency to try, ascending.
        measure: measures one level; None when no more may be measured.
    """
    levels: list[Level] = []
    best: Level | None = None
    without_growth = 0
    reason = "the highest number of callers was reached"
    for count in callers:
        level = await measure(count)
        if level is None:
            reason = "the limit of requests was reached"
            break
        levels.append(level)
        grew = best is None or level.throughput >= best.throughput * GROWTH
        without_growth = 0 if grew else without_growth + 1
        if best is None or level.throughput > best.throughput:
            best = level
        if level.failed_share > REFUSED_SHARE:
            reason = f"{level.failed_share:.0%} of the requests of {count} callers were refused"
            break
        if without_growth == LEVELS_WITHOUT_GROWTH:
            reason = "throughput stopped growing"
            break
    return Saturation(
        throughput=best.throughput if best else 0.0,
        callers=best.callers if best else 0,
        levels=tuple(levels),
        reason=reason,
    )
