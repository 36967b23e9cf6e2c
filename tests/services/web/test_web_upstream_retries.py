"""What a service may have begun with is sent to nobody again, and sending is over in its time."""

from __future__ import annotations

import time
from collections.abc import Generator

import pytest

from services.serving.problem import Problem
from services.web.upstream import ScoringService
from tests.services.web.upstream_stub import (
    PREDICTIONS,
    Answer,
    UpstreamStub,
    contract,
    running_stub,
)
from tests.slow_reader import slow_reader

TIMEOUT_SECONDS = 0.8


@pytest.fixture
def stub() -> Generator[UpstreamStub]:
    with running_stub() as stub:
        yield stub


def connected_to(url: str) -> ScoringService:
    return ScoringService(
        "picture service",
        url,
        key_file=None,
        timeout_seconds=TIMEOUT_SECONDS,
        observe=lambda *_: None,
    )


def classify(service: ScoringService, picture: bytes = b"picture") -> int:
    return service.post("/v1/classify", picture, "image/png", "id").status


@pytest.mark.parametrize(
    "fault",
    [
        Answer(cut=True),
        Answer(cut=True, delay_seconds=TIMEOUT_SECONDS / 2),
        Answer(content=PREDICTIONS, headers={"Content-Length": "9999", "Connection": "close"}),
    ],
    ids=["at once", "after a while", "in the middle of its answer"],
)
def test_a_picture_that_a_service_died_of_is_not_sent_again(
    stub: UpstreamStub, fault: Answer
) -> None:
    """The next pod would be its next victim (decision 8)."""
    service = connected_to(stub.url)
    assert classify(service) == 200, "as on a connection that could be idle now"
    stub.received.clear()
    faults = iter([fault])
    stub.answer = lambda received: next(faults, contract(received))
    with pytest.raises(Problem, match=r"^The picture service failed\.$"):
        classify(service)
    assert [received.body for received in stub.received] == [b"picture"]


def test_a_service_that_takes_a_picture_too_slowly_is_given_up() -> None:
    """Each piece is taken soon enough, and all of them would take half a minute."""
    began = time.monotonic()
    with slow_reader(0.02) as url, pytest.raises(Problem, match="did not answer in time"):
        classify(connected_to(url), bytes(32 << 20))
    assert time.monotonic() - began < 10 * TIMEOUT_SECONDS
