"""Figures from a recording."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from client.load.recording import UNKNOWN, Outcome, Recording

LAG_LIMIT_MS = 20.0
"""A generator that is later than this with 1 % of its requests does not offer what it says."""


@dataclass(frozen=True)
class Latency:
    """Percentiles of a set of latencies, milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


def step_name(share: float) -> str:
    """What a step at a share of the saturation is called."""
    return f"{share:.0%}".replace("%", " %")


@dataclass(frozen=True)
class Step:
    """What an open-loop step measured. Rates are per second of the step's schedule.

    Attributes:
        name: such as ``50 %`` or ``recovery``.
        share: offered rate as a share of the saturation throughput.
        offered: requests scheduled.
        sent: requests written to a connection, in time or late.
        seconds: length of the schedule.
        offered_rate: ``offered / seconds``.
        sent_rate: requests written to a connection within the schedule's length.
        throughput: answers 200 that were complete within the schedule's length.
        goodput: answers 200 within the deadline, counted from their scheduled time.
        good: how many those are.
        latency: of all answers 200, from their scheduled time; None if there are none.
        answers: requests by status code, other than 200.
        failures: requests by what went wrong, for those without a status code.
        refused_latency: of the answers other than 200, from their scheduled time.
        waited: requests that waited more than a millisecond for a free connection.
        lag_p99_ms: how late the generator itself was, 99th percentile.
        cut_short: the schedule was ended early by the limit of requests.
    """

    name: str
    share: float
    offered: int
    sent: int
    seconds: float
    offered_rate: float
    sent_rate: float
    throughput: float
    goodput: float
    good: int
    latency: Latency | None
    answers: dict[int, int] = field(default_factory=dict[int, int])
    failures: dict[str, int] = field(default_factory=dict[str, int])
    refused_latency: Latency | None = None
    waited: int = 0
    lag_p99_ms: float = 0.0
    cut_short: bool = False

    @property
    def good_share(self) -> float:
        """Share of the offered requests that were answered 200 within the deadline."""
        return self.good / self.offered if self.offered else 0.0

    @property
    def generator_kept_up(self) -> bool:
        """Whether requests were dispatched when they were due."""
        return self.lag_p99_ms <= LAG_LIMIT_MS


def percentile(ascending: Sequence[float], percent: float) -> float:
    """The smallest value that at least ``percent`` % of the values do not exceed (nearest rank).

    Raises:
        ValueError: there are no values.
    """
    if not ascending:
        raise ValueError("a percentile needs values")
    rank = math.ceil(len(ascending) * percent / 100)
    return ascending[max(1, rank) - 1]


def latency_of(seconds: Sequence[float]) -> Latency | None:
    """Percentiles of latencies given in seconds; None if there are none."""
    if not seconds:
        return None
    ascending = sorted(each * 1000 for each in seconds)
    return Latency(
        p50_ms=percentile(ascending, 50),
        p95_ms=percentile(ascending, 95),
        p99_ms=percentile(ascending, 99),
        max_ms=ascending[-1],
    )


def summarise(
    recording: Recording,
    *,
    name: str,
    share: float,
    began: float,
    seconds: float,
    deadline: float,
    cut_short: bool = False,
) -> Step:
    """The figures of one open-loop step, all of whose requests have ended.

    Args:
        recording: the step's requests.
        name: the step's name.
        share: offered rate as a share of saturation.
        began: when the schedule began, on the clock of the recording.
        seconds: length of the schedule.
        deadline: latency up to which an answer is good, seconds.
        cut_short: see :class:`Step`.
    """
    ends = began + seconds
    latencies: list[float] = []
    refused: list[float] = []
    answers: Counter[int] = Counter()
    failures: Counter[str] = Counter()
    on_time = sent = sent_in_time = waited = 0
    for row, outcome in enumerate(recording.outcome):
        if recording.sent[row] != UNKNOWN:
            sent += 1
            sent_in_time += recording.sent[row] <= ends
            waited += recording.sent[row] - recording.dispatched[row] > 0.001
        if outcome == HTTPStatus.OK:
            latencies.append(recording.finished[row] - recording.scheduled[row])
            on_time += recording.finished[row] <= ends
        elif outcome > 0:
            answers[outcome] += 1
            refused.append(recording.finished[row] - recording.scheduled[row])
        else:
            failures[Outcome(outcome).text] += 1
    good = sum(latency <= deadline for latency in latencies)
    return Step(
        name=name,
        share=share,
        offered=len(recording),
        sent=sent,
        seconds=seconds,
        offered_rate=len(recording) / seconds,
        sent_rate=sent_in_time / seconds,
        throughput=on_time / seconds,
        goodput=good / seconds,
        good=good,
        latency=latency_of(latencies),
        answers=dict(sorted(answers.items())),
        failures=dict(sorted(failures.items())),
        refused_latency=latency_of(refused),
        waited=waited,
        lag_p99_ms=_lag_p99_ms(recording),
        cut_short=cut_short,
    )


def _lag_p99_ms(recording: Recording) -> float:
    lags = sorted(
        max(0.0, dispatched - scheduled) * 1000
        for dispatched, scheduled in zip(recording.dispatched, recording.scheduled, strict=True)
    )
    return percentile(lags, 99) if lags else 0.0
