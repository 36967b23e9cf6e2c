"""What a service may have begun with is sent to nobody again, and a call is over in its time."""

from __future__ import annotations

import time
from collections.abc import Generator

import pytest

from services.serving.problem import Problem
from services.web import upstream
from services.web.upstream import ScoringService
from tests.services.web.upstream_stub import (
    PREDICTIONS,
    Answer,
    Received,
    UpstreamStub,
    contract,
    running_stub,
)

TIMEOUT_SECONDS = 1.5


@pytest.fixture
def stub() -> Generator[UpstreamStub]:
    with running_stub() as stub:
        yield stub


@pytest.fixture
def service(stub: UpstreamStub) -> ScoringService:
    """One whose connection to the stub is idle, as after an earlier picture."""
    service = connected_to(stub)
    classify(service)
    stub.received.clear()
    return service


def connected_to(stub: UpstreamStub) -> ScoringService:
    return ScoringService(
        "picture service",
        stub.url,
        key_file=None,
        timeout_seconds=TIMEOUT_SECONDS,
        observe=lambda *_: None,
    )


def classify(service: ScoringService) -> int:
    return service.post("/v1/classify", b"picture", "image/png", "id").status


def once(stub: UpstreamStub, fault: Answer) -> None:
    """Do this with the next request, and then as the contract has it."""
    faults = iter([fault])
    stub.answer = lambda received: next(faults, contract(received))


def test_a_connection_that_was_closed_while_idle_is_replaced_unnoticed(
    stub: UpstreamStub, service: ScoringService, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever else the machine of the tests is busy with.
    monkeypatch.setattr(upstream, "AT_ONCE_SECONDS", TIMEOUT_SECONDS)
    once(stub, Answer(cut=True))
    assert classify(service) == 200
    assert len(stub.received) == 2


@pytest.mark.parametrize(
    "fault",
    [
        Answer(cut=True, delay_seconds=upstream.AT_ONCE_SECONDS * 2),
        Answer(content=PREDICTIONS, headers={"Content-Length": "9999", "Connection": "close"}),
    ],
    ids=["after a while", "in the middle of its answer"],
)
def test_a_picture_with_which_a_service_had_begun_is_not_sent_again(
    stub: UpstreamStub, service: ScoringService, fault: Answer
) -> None:
    """Where it killed one pod, the next would be its next victim (decision 8)."""
    once(stub, fault)
    with pytest.raises(Problem, match=r"^The picture service failed\.$"):
        classify(service)
    assert [received.body for received in stub.received] == [b"picture"]


def test_a_picture_on_a_new_connection_is_not_sent_again(stub: UpstreamStub) -> None:
    """Nobody can have closed it while it was idle: it was the picture."""
    once(stub, Answer(cut=True))
    with pytest.raises(Problem, match=r"^The picture service failed\.$"):
        classify(connected_to(stub))
    assert len(stub.received) == 1


def test_both_attempts_together_are_over_in_the_time_of_one(
    stub: UpstreamStub, service: ScoringService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "AT_ONCE_SECONDS", TIMEOUT_SECONDS)
    answers = iter([Answer(cut=True, delay_seconds=TIMEOUT_SECONDS * 0.8)])

    def answer(received: Received) -> Answer:
        return next(answers, Answer(content=PREDICTIONS, delay_seconds=TIMEOUT_SECONDS * 3))

    stub.answer = answer
    began = time.monotonic()
    with pytest.raises(Problem, match="did not answer in time"):
        classify(service)
    assert len(stub.received) == 2
    assert time.monotonic() - began < TIMEOUT_SECONDS * 1.4
