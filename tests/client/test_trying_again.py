"""Which failures the client tries again, against a service that recovers or does not."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

import client
from client import Retries, ScoringClient

QUICK = Retries(first_wait=0.01, longest_wait=0.02)


@pytest.fixture
def patient(service) -> Iterator[ScoringClient]:
    """A client that tries again soon."""
    with ScoringClient(service.url, retries=QUICK, timeout=5) as made:
        yield made


@pytest.mark.parametrize(
    "trouble",
    [
        lambda exchange: exchange.problem(503),
        lambda exchange: exchange.problem(429),
        lambda exchange: exchange.cut(),
    ],
    ids=["503", "429", "cut"],
)
def test_what_may_pass_is_tried_again(service, patient, trouble):
    service.in_turn(trouble, trouble, lambda exchange: exchange.as_expected())
    assert patient.match("q").matches
    assert len(service.received) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 422, 500, 504])
def test_what_will_not_pass_is_not_tried_again(service, patient, status):
    service.behaviour = lambda exchange: exchange.problem(status)
    with pytest.raises(client.ScoringError):
        patient.match("q")
    assert len(service.received) == 1


def test_tries_are_bounded(service, patient):
    service.behaviour = lambda exchange: exchange.problem(503)
    with pytest.raises(client.AtCapacity):
        patient.match("q")
    assert len(service.received) == 1 + QUICK.most


def test_retry_after_is_honoured(service, patient):
    service.in_turn(
        lambda exchange: exchange.problem(503, Retry_After="1"),
        lambda exchange: exchange.as_expected(),
    )
    patient.match("q")
    first, second = service.received
    assert second.at - first.at >= 1.0


def test_a_wait_beyond_the_timeout_is_not_begun(service, monkeypatch):
    begun: list[float] = []
    monkeypatch.setattr("client.scoring_client.time.sleep", begun.append)
    service.behaviour = lambda exchange: exchange.problem(503, Retry_After="60")
    with ScoringClient(service.url, timeout=2) as made, pytest.raises(client.AtCapacity):
        made.match("q")
    assert begun == []
    assert len(service.received) == 1


def test_later_tries_tell_the_service_less_time(service, patient):
    def stall_then_refuse(exchange) -> None:
        time.sleep(0.2)
        exchange.problem(503)

    service.in_turn(stall_then_refuse, lambda exchange: exchange.as_expected())
    patient.match("q")
    first, second = (int(each.headers["x-request-timeout-ms"]) for each in service.received)
    assert first - second >= 200
