"""Schedules of arrivals."""

from __future__ import annotations

import statistics
from itertools import pairwise

import pytest

from client.load.arrivals import Arrivals, schedule


def times(kind: Arrivals, *, rate=200.0, seconds=50.0, seed=1, most=1_000_000):
    return schedule(kind, rate=rate, seconds=seconds, seed=seed, most=most)


def test_constant_arrivals_are_evenly_spaced():
    assert list(times(Arrivals.CONSTANT, rate=4, seconds=1)) == [0, 0.25, 0.5, 0.75]


def test_poisson_arrivals_have_their_rate_and_the_spread_of_a_poisson_process():
    chosen = times(Arrivals.POISSON)
    gaps = [later - earlier for earlier, later in pairwise(chosen)]
    assert len(chosen) == pytest.approx(10_000, rel=0.04)
    # The standard deviation of an exponential distribution is its mean.
    assert statistics.stdev(gaps) == pytest.approx(statistics.mean(gaps), rel=0.05)


@pytest.mark.parametrize("kind", list(Arrivals))
def test_a_schedule_ascends_and_stays_within_its_bounds(kind):
    chosen = list(times(kind, seconds=2))
    assert chosen == sorted(chosen)
    assert chosen[0] >= 0
    assert chosen[-1] < 2
    assert len(times(kind, most=17)) == 17


def test_a_seed_repeats_a_schedule_and_another_does_not():
    assert times(Arrivals.POISSON, seed=3) == times(Arrivals.POISSON, seed=3)
    assert times(Arrivals.POISSON, seed=3) != times(Arrivals.POISSON, seed=4)
