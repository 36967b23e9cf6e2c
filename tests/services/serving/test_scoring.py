"""The path of one request: deadlines, order of checks, what is written to JSON."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import orjson
import pytest
from pydantic import BaseModel

from services.serving.scoring import encode
from tests.services.serving.live_service import JSON, LiveService, head, pull, service


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """A service that scores one item at a time and answers within a second."""
    with service(tmp_path_factory.mktemp("slow"), "--max-batch", 1, "--deadline-ms", 1000) as live:
        yield live


def status(live: LiveService, text: str, timeout_ms: int | None = None) -> int:
    headers = {"X-Request-Timeout-Ms": str(timeout_ms)} if timeout_ms else {}
    return live.pull(text, headers=headers).status


@contextmanager
def while_the_model_is_busy(live: LiveService) -> Iterator[None]:
    """What happens in this block happens before the model has finished the next batch."""
    finished = live.metric("modelsvc_batch_size_count")
    yield
    assert live.metric("modelsvc_batch_size_count") == finished
    until = time.monotonic() + 20
    while live.metric("modelsvc_batch_size_count") == finished:
        assert time.monotonic() < until, "the model never finished"
        time.sleep(0.02)


def test_an_answer_that_is_not_ready_in_time_is_504_before_the_model_is_done(
    slow: LiveService,
) -> None:
    with while_the_model_is_busy(slow):
        assert status(slow, "sleep:2.5") == 504


def test_a_request_can_ask_for_less_time(lever: LiveService) -> None:
    with while_the_model_is_busy(lever):
        assert status(lever, "sleep:2", timeout_ms=50) == 504


def test_a_request_cannot_ask_for_more_time(slow: LiveService) -> None:
    with while_the_model_is_busy(slow):
        assert status(slow, "sleep:2.5", timeout_ms=600_000) == 504


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        *((each, "a whole number") for each in ("", "-1", "x", "1.5", "1e3", "\xb2")),
        *((each, "from 1 to") for each in ("0", "600001", "1000000", "9" * 30, "1" + "0" * 5000)),
    ],
)
def test_a_nonsensical_time_is_400(lever: LiveService, value: str, fault: str) -> None:
    answer = lever.pull("x", headers={"X-Request-Timeout-Ms": value})

    assert answer.status == 400
    assert fault in answer.json["detail"]


def test_a_request_past_its_deadline_in_the_queue_is_never_scored(slow: LiveService) -> None:
    first = threading.Thread(target=status, args=(slow, "sleep:0.6"))
    first.start()
    slow.wait_until_queued(1)
    before = slow.metric("modelsvc_batch_size_sum")
    late = status(slow, "late", timeout_ms=100)
    first.join()

    assert late in (503, 504)
    time.sleep(0.1)
    assert slow.metric("modelsvc_batch_size_sum") == before + 1


def test_a_client_that_hangs_up_is_not_scored_if_its_turn_has_not_come(tmp_path: Path) -> None:
    body = pull("x")
    with service(tmp_path, "--max-batch", 1) as live:
        first = threading.Thread(target=status, args=(live, "sleep:0.6"))
        first.start()
        live.wait_until_queued(1)
        with live.wire() as wire:
            wire.send(head("POST", "/v1/pull", JSON, len(body)) + body)
            live.wait_until_queued(2)
        first.join()
        assert live.pull("x").status == 200

        assert live.metric("modelsvc_batch_size_sum") == 2
        assert live.metric("modelsvc_dropped_items_total") == 0
        assert live.metric('modelsvc_requests_total{code="499",route="/v1/pull"}') == 1
        assert '"status": 499' in live.log_text


def test_a_place_in_the_queue_is_free_as_soon_as_its_client_is_gone(slow: LiveService) -> None:
    body = pull("sleep:0.5")
    with slow.wire() as wire:
        wire.send(head("POST", "/v1/pull", JSON, len(body)) + body)
        slow.wait_until_queued(1)
    until = time.monotonic() + 5
    while slow.metric("modelsvc_queue_depth") and time.monotonic() < until:
        time.sleep(0.01)

    assert slow.metric("modelsvc_queue_depth") == 0
    assert slow.metric("modelsvc_requests_in_flight") == 0


def test_clients_that_hang_up_harm_nobody(slow: LiveService) -> None:
    body = pull("sleep:0.2")
    for _ in range(5):
        with slow.wire() as wire:
            wire.send(head("POST", "/v1/pull", JSON, len(body)) + body)
    time.sleep(0.5)

    assert slow.pull("x").status == 200
    assert slow.metric("modelsvc_queue_depth") == 0
    assert slow.metric("modelsvc_queue_bytes") == 0


class Result(BaseModel):
    score: float | None
    day: date = date(2026, 1, 1)


def test_numbers_that_json_has_not_become_null() -> None:
    assert encode({"score": float("nan"), "other": float("inf")}) == b'{"score":null,"other":null}'
    assert orjson.loads(encode(Result(score=float("nan")))) == {"score": None, "day": "2026-01-01"}


def test_arrays_become_lists() -> None:
    assert encode({"scores": np.array([[0.5, 1]], np.float32)}) == b'{"scores":[[0.5,1.0]]}'


def test_results_of_several_kinds_are_written() -> None:
    assert encode([1, "a", None]) == b'[1,"a",null]'
    assert encode(Result(score=None)) == b'{"score":null,"day":"2026-01-01"}'
