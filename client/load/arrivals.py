"""When requests arrive in an open system: by a schedule that does not wait for answers."""

from __future__ import annotations

import random
from array import array
from enum import StrEnum


class Arrivals(StrEnum):
    """How the times between arrivals are distributed.

    Independent users make a Poisson process; a constant rate shows the least that any
    distribution of the same rate can cause.
    """

    POISSON = "poisson"
    CONSTANT = "constant"


def schedule(kind: Arrivals, *, rate: float, seconds: float, seed: int, most: int) -> array[float]:
    """Arrival times in seconds from the start, ascending, all below ``seconds``.

    Args:
        kind: distribution of the times between arrivals.
        rate: arrivals a second on average, above 0.
        seconds: length of the schedule.
        seed: the same seed gives the same schedule.
        most: the schedule ends early rather than have more arrivals.
    """
    generator = random.Random(seed)  # noqa: S311 - reproducible, not secret
    times: array[float] = array("d")
    if kind is Arrivals.CONSTANT:
        for index in range(most):
            if index / rate >= seconds:
                break
            times.append(index / rate)
        return times
    moment = generator.expovariate(rate)
    while moment < seconds and len(times) < most:
        times.append(moment)
        moment += generator.expovariate(rate)
    return times
