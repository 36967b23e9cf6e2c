"""A token bucket per key."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.serving.api_keys import ApiKey, KeyFile, key_hash, new_key, write_key_file
from services.serving.problem import Problem
from services.serving.rate_limit import RateLimiter
from tests.services.serving.live_service import service


class Clock:
    """A clock that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The time, at will."""
    return Clock()


def retry_after(limiter: RateLimiter, name: str = "a", rate: float | None = None) -> str | None:
    """What a request is told; None if it is allowed."""
    try:
        limiter.check(name, rate)
    except Problem as problem:
        return problem.headers["Retry-After"] if problem.status == 429 else str(problem)
    return None


def test_a_second_s_worth_may_come_at_once_and_then_the_rate_holds(clock: Clock) -> None:
    limiter = RateLimiter(5, clock)

    assert [retry_after(limiter) for _ in range(6)] == [None] * 5 + ["1"]
    clock.now += 0.2
    assert [retry_after(limiter) for _ in range(2)] == [None, "1"]
    clock.now += 100
    assert [retry_after(limiter) for _ in range(6)] == [None] * 5 + ["1"]


def test_after_the_time_it_names_a_retry_is_allowed(clock: Clock) -> None:
    limiter = RateLimiter(0.1, clock)
    assert retry_after(limiter) is None
    clock.now += 2.5

    assert retry_after(limiter) == "8"
    clock.now += 7.4
    assert retry_after(limiter) is not None
    clock.now += 0.6
    assert retry_after(limiter) is None


def test_each_key_has_a_bucket_of_its_own(clock: Clock) -> None:
    limiter = RateLimiter(1, clock)

    assert [retry_after(limiter, name) for name in ("a", "b", "a", "c")] == [None, None, "1", None]


def test_a_key_can_have_a_rate_of_its_own(clock: Clock) -> None:
    limiter = RateLimiter(1, clock)

    assert [retry_after(limiter, "fast", 3) for _ in range(4)] == [None, None, None, "1"]


def test_without_a_rate_there_is_no_limit(clock: Clock) -> None:
    limiter = RateLimiter(0, clock)

    assert {retry_after(limiter) for _ in range(1000)} == {None}
    assert [retry_after(limiter, "slow", 0.5) for _ in range(2)] == [None, "2"]


@given(
    rate=st.floats(0.01, 1000),
    gaps=st.lists(st.floats(0, 10), min_size=1, max_size=100),
)
def test_never_more_than_the_rate_and_one_burst_pass(rate: float, gaps: list[float]) -> None:
    clock = Clock()
    limiter = RateLimiter(rate, clock)
    passed = 0
    for gap in gaps:
        clock.now += gap
        passed += retry_after(limiter) is None

    assert passed <= max(1, rate) + rate * clock.now + 1e-6
    assert passed >= 1


def test_over_http_a_key_that_is_too_fast_gets_429_and_others_do_not(tmp_path: Path) -> None:
    fast, other = new_key(), new_key()
    path = tmp_path / "keys.json"
    entries = [
        ApiKey(name=name, sha256=key_hash(key), scopes=frozenset({"lever"}))
        for name, key in (("fast", fast), ("other", other))
    ]
    write_key_file(path, KeyFile(keys=tuple(entries)))
    with service(tmp_path, "--keys", path, "--requests-per-second", 0.2) as live:
        answers = [live.pull("x", headers={"X-API-Key": fast}) for _ in range(3)]

        assert [answer.status for answer in answers] == [200, 429, 429]
        assert answers[1].headers["retry-after"] == "5"
        assert answers[1].json["error"] == answers[1].json["detail"]
        assert live.pull("x", headers={"X-API-Key": other}).status == 200
        assert live.metric('modelsvc_rejected_total{reason="rate"}') == 2
