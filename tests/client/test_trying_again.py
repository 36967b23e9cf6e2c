"""Which failures the client tries again, against a service that recovers or does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

import client
from client import NO_RETRIES, Retries, ScoringClient
from tests.client.conftest import Exchange

QUICK = Retries(first_wait=0.01, longest_wait=0.02)


@pytest.fixture
def patient(service) -> Iterator[ScoringClient]:
    """A client that tries again soon."""
    with ScoringClient(service.url, retries=QUICK, timeout=5) as made:
        yield made


@pytest.fixture
def slept(monkeypatch) -> list[float]:
    """The waits of a client, none of which it waits."""
    begun: list[float] = []
    monkeypatch.setattr("client.scoring_client.time.sleep", begun.append)
    return begun


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


@pytest.mark.parametrize("status", [429, 503])
def test_a_picture_that_is_refused_for_the_moment_is_tried_again(service, patient, status):
    service.in_turn(
        lambda exchange: exchange.problem(status), lambda exchange: exchange.as_expected()
    )
    assert patient.classify(b"picture").predictions
    assert len(service.received) == 2


def cut_in_the_middle(exchange: Exchange) -> None:
    exchange.raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    )


@pytest.mark.parametrize("cut", [Exchange.cut, cut_in_the_middle], ids=["before", "in the middle"])
def test_a_picture_that_a_service_may_have_died_of_is_not_handed_to_the_next(service, patient, cut):
    """Decision 8. Also on a connection that was kept, where the cut could be that of an idle one."""
    assert patient.classify(b"picture").predictions
    service.received.clear()
    service.in_turn(cut, Exchange.as_expected)
    with pytest.raises(client.ConnectionCut, match="the connection was cut"):
        patient.classify(b"picture")
    assert [received.body for received in service.received] == [b"picture"]


def test_a_connection_that_was_closed_while_idle_costs_a_picture_nothing(service):
    closed = threading.Event()

    def answer_and_close(exchange: Exchange) -> None:
        exchange.as_expected()
        exchange.cut()
        closed.set()

    service.behaviour = answer_and_close
    with ScoringClient(service.url, retries=NO_RETRIES) as made:
        made.classify(b"picture")
        assert closed.wait(10)
        assert made.classify(b"picture").predictions


of_either = pytest.mark.parametrize(
    "send",
    [lambda made: made.match("q"), lambda made: made.classify(b"picture")],
    ids=["question", "picture"],
)


@of_either
def test_what_reached_no_service_is_tried_again(closed_url, slept, send):
    with ScoringClient(closed_url, retries=QUICK) as made, pytest.raises(client.Unreachable) as no:
        send(made)
    assert type(no.value) is client.Unreachable
    assert len(slept) == QUICK.most


@of_either
def test_what_got_no_further_than_a_proxy_is_tried_again(service, slept, monkeypatch, send):
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", service.url)  # refuses every CONNECT
    with (
        ScoringClient("https://scoring.example", retries=QUICK) as made,
        pytest.raises(client.Unreachable, match="no connection") as no,
    ):
        send(made)
    assert type(no.value) is client.Unreachable
    assert len(slept) == QUICK.most


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


def test_a_wait_beyond_the_timeout_is_not_begun(service, slept):
    service.behaviour = lambda exchange: exchange.problem(503, Retry_After="60")
    with ScoringClient(service.url, timeout=2) as made, pytest.raises(client.AtCapacity):
        made.match("q")
    assert slept == []
    assert len(service.received) == 1


def test_later_tries_tell_the_service_less_time(service, patient):
    def stall_then_refuse(exchange) -> None:
        time.sleep(0.2)
        exchange.problem(503)

    service.in_turn(stall_then_refuse, lambda exchange: exchange.as_expected())
    patient.match("q")
    first, second = (int(each.headers["x-request-timeout-ms"]) for each in service.received)
    assert first - second >= 200
