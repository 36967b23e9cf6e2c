"""Overload: accepted requests keep flowing, the rest are refused at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.serving.scoring_exchange import BRIEF_BYTES, QUICK_BYTES
from tests.services.serving.live_service import JSON, Answer, LiveService, head, pull, service
from tests.waiting import wait_for

BATCH_SECONDS = 0.02
CAPACITY = 1 / BATCH_SECONDS
PLACES = 10


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[LiveService]:
    """A service that scores one item at a time and holds ten."""
    options = ("--max-batch", 1, "--queue-limit", PLACES, "--deadline-ms", 3000)
    with service(tmp_path, *options) as live:
        yield live


@dataclass
class Load:
    """Requests at a fixed rate, however long the answers take."""

    live: LiveService
    per_second: float
    seconds: float
    answers: list[Answer] = field(default_factory=list)

    def run(self) -> None:
        threads: list[threading.Thread] = []
        began = time.monotonic()
        for number in range(int(self.per_second * self.seconds)):
            time.sleep(max(0.0, began + number / self.per_second - time.monotonic()))
            threads.append(threading.Thread(target=self._ask))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _ask(self) -> None:
        self.answers.append(self.live.pull(f"sleep:{BATCH_SECONDS}"))

    def of(self, status: int) -> list[Answer]:
        return [each for each in self.answers if each.status == status]


def resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as stream:
        return int(stream.read().split()[1]) * 4096


def test_at_three_times_its_capacity_a_service_scores_what_it_can_and_refuses_the_rest(
    busy: LiveService,
) -> None:
    before = resident(busy.process.pid)
    load = Load(busy, 3 * CAPACITY, 3)
    running = threading.Thread(target=load.run)
    running.start()
    probes = []
    while running.is_alive():
        probes += [busy.get("/livez").status, busy.get("/readyz").status]
        time.sleep(0.1)
    running.join()

    assert {answer.status for answer in load.answers} == {200, 503}
    assert len(load.of(200)) > 2 * PLACES, "places are given again and again"
    for answer in load.of(503):
        assert 1 <= int(answer.headers["retry-after"]) <= 3
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["status"] == 503
        assert answer.json["error"]
        assert answer.json["request_id"] == answer.headers["x-request-id"]
    assert set(probes) == {200}
    assert resident(busy.process.pid) - before < 50 << 20

    assert busy.pull("x").status == 200
    refused = busy.metric('modelsvc_rejected_total{reason="capacity"}')
    assert refused == len(load.of(503))
    assert busy.metric("modelsvc_queue_depth") == 0


@pytest.mark.parametrize(("options", "thread"), [((), "batcher"), (("--brief",), "MainThread")])
def test_a_model_is_scored_in_a_thread_of_its_own_or_if_it_is_brief_on_the_loop(
    options: tuple[str, ...], thread: str, tmp_path: Path
) -> None:
    with service(tmp_path, *options) as live:
        assert live.pull("thread").json["texts"] == [thread]
        assert live.pull("fail").status == 500
        assert live.pull("x").json["texts"] == ["x"]


@pytest.mark.parametrize(
    ("options", "thread"),
    [((), "MainThread"), (("--in-turn",), "batcher"), (("--in-turn", "--brief"), "MainThread")],
)
def test_a_request_is_prepared_on_the_loop_or_by_the_thread_that_scores_it(
    options: tuple[str, ...], thread: str, tmp_path: Path
) -> None:
    with service(tmp_path, *options) as live:
        assert live.pull("preparing thread").json["texts"] == [thread]
        assert live.pull("prepare:fail").status == 500
        assert live.request("POST", "/v1/pull", b'{"texts": []}').status == 422
        assert live.pull("a", "b").json["texts"] == ["a", "b"]
        assert live.metric("modelsvc_queue_depth") == 0


@pytest.mark.parametrize(
    ("text", "thread"),
    [
        ("preparing", "MainThread"),
        ("preparing long", "prepare"),
        ("preparing " + "x" * 1024, "MainThread"),
        ("preparing " + "x" * BRIEF_BYTES, "prepare"),
    ],
    ids=["brief", "long", "small", "large"],
)
def test_what_takes_long_to_prepare_does_not_hold_up_a_loop_that_scores(
    text: str, thread: str, tmp_path: Path
) -> None:
    options = ("--in-turn", "--brief", "--max-body-bytes", 4 * BRIEF_BYTES)
    with service(tmp_path, *options) as live:
        texts = [text[at : at + 200_000] for at in range(0, len(text), 200_000)]
        for _ in range(3):
            [name] = live.pull(*texts).json["texts"]
            assert name.startswith(thread)
        assert live.metric("modelsvc_queue_depth") == 0
        assert live.metric("modelsvc_requests_in_flight") == 0


def test_on_the_loop_who_is_scored_is_answered_before_the_next_one_is_scored(
    tmp_path: Path,
) -> None:
    with service(tmp_path, "--brief", "--max-batch", 1) as live, ThreadPoolExecutor(3) as pool:

        def answered_at(text: str) -> float:
            assert live.pull(text).status == 200
            return time.monotonic()

        live.pull("x")
        held = pool.submit(answered_at, "sleep:0.3")
        time.sleep(0.1)
        first = pool.submit(answered_at, "sleep:0.001")
        time.sleep(0.1)
        second = pool.submit(answered_at, "sleep:1.0")

        assert max(held.result(10), first.result(10)) < second.result(10) - 0.5


def test_what_is_prepared_in_its_turn_is_passed_over_once_its_client_is_gone(
    tmp_path: Path,
) -> None:
    with service(tmp_path, "--in-turn", "--max-batch", 1) as live:
        with ThreadPoolExecutor(1) as pool:
            held = pool.submit(live.pull, "sleep:1")
            live.wait_until_queued(1)
            body = pull("x")
            for _ in range(5):
                with live.wire() as wire:
                    wire.send(head("POST", "/v1/pull", JSON, len(body)) + body)
                    live.wait_until_queued(2)
                live.wait_until_queued(1)
            assert held.result().status == 200
        assert live.pull("prepared").json["texts"] == ["1"]
        assert live.metric('modelsvc_requests_total{code="499",route="/v1/pull"}') == 5
        assert live.metric("modelsvc_dropped_items_total") == 0


def test_a_brief_model_at_three_times_its_capacity_goes_on_in_the_same_way(tmp_path: Path) -> None:
    options = ("--brief", "--max-batch", 1, "--queue-limit", PLACES, "--deadline-ms", 3000)
    with service(tmp_path, *options) as live:
        load = Load(live, 3 * CAPACITY, 1.5)
        load.run()
        assert {answer.status for answer in load.answers} == {200, 503}
        assert len(load.of(200)) > 2 * PLACES
        assert live.get("/livez").status == live.pull("x").status == 200
        assert live.metric("modelsvc_queue_depth") == 0


def test_a_refusal_does_not_wait_for_the_model(busy: LiveService) -> None:
    held = [threading.Thread(target=busy.pull, args=("sleep:2.5",))]
    held += [threading.Thread(target=busy.pull, args=("x",)) for _ in range(PLACES - 1)]
    for number, thread in enumerate(held, 1):
        thread.start()
        busy.wait_until_queued(number)
    statuses = {busy.pull("x").status for _ in range(5)}
    batches = busy.metric("modelsvc_batch_size_count")
    for thread in held:
        thread.join()

    assert statuses == {503}
    assert batches == 0, "all were refused before the model had finished anything"


def test_what_takes_long_to_prepare_is_not_prepared_before_the_model_can_take_it(
    tmp_path: Path,
) -> None:
    options = ("--max-batch", 1, "--queue-limit", 20, "--threads", 2, "--max-body-bytes", 200_000)
    with service(tmp_path, *options) as live:
        large = "x" * (QUICK_BYTES + 1)
        texts = ["sleep:1.5", *[large] * 8]
        with ThreadPoolExecutor(len(texts)) as pool:
            answers = [pool.submit(live.pull, texts[0])]
            live.wait_until_queued(1)
            answers += [pool.submit(live.pull, text) for text in texts[1:]]
            live.wait_until_queued(9)
            time.sleep(0.3)
            before = int(live.pull("prepared").json["texts"][0])
            assert [answer.result().status for answer in answers] == [200] * 9
        assert before <= 1 + 2 * 1 + 2, "the first, two batches and one for each thread"
        assert int(live.pull("prepared").json["texts"][0]) == 10


def refusals_of(live: LiveService) -> list[int]:
    """The numbers in its log's lines of refusals."""
    lines = [line for line in live.log_text.splitlines() if "refused at capacity" in line]
    return [json.loads(line)["refused"] for line in lines]


def test_a_refusal_is_logged_as_a_count_not_as_a_line_each(busy: LiveService) -> None:
    held = [threading.Thread(target=busy.pull, args=("sleep:0.2",)) for _ in range(PLACES)]
    for thread in held:
        thread.start()
    busy.wait_until_queued(PLACES)
    reported = refusals_of(busy)
    statuses = [busy.pull("x").status for _ in range(20)]
    for thread in held:
        thread.join()
    refused = statuses.count(503)
    wait_for(lambda: sum(refusals_of(busy)[len(reported) :]) >= refused, seconds=5)

    counts = refusals_of(busy)[len(reported) :]
    assert refused >= 10
    assert sum(counts) == refused
    assert 1 <= len(counts) <= 4


def test_a_refused_client_can_use_its_connection_again(busy: LiveService) -> None:
    held = [threading.Thread(target=busy.pull, args=("sleep:0.1",)) for _ in range(PLACES)]
    for thread in held:
        thread.start()
    busy.wait_until_queued(PLACES)
    body = pull("x")
    with busy.wire() as wire:
        wire.send(head("POST", "/v1/pull", JSON, len(body)) + body)
        assert wire.read().status == 503
        for thread in held:
            thread.join()
        wire.send(head("POST", "/v1/pull", JSON, len(body)) + body)
        assert wire.read().status == 200


@contextmanager
def full_house(busy: LiveService) -> Iterator[None]:
    held = [threading.Thread(target=busy.pull, args=("sleep:0.1",)) for _ in range(PLACES)]
    for thread in held:
        thread.start()
    busy.wait_until_queued(PLACES)
    yield
    for thread in held:
        thread.join()


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/pull?x=1", 503), ("/v1/pul%6C", 503), ("/v1/pull#x", 503), ("/v1/none", 404)],
)
def test_a_full_house_refuses_only_what_needs_the_model(
    path: str, status: int, busy: LiveService
) -> None:
    with full_house(busy), busy.wire() as wire:
        body = pull("x")
        wire.send(head("POST", path, JSON, len(body)) + body)
        assert wire.read().status == status


def test_a_refused_body_that_follows_its_headers_later_leaves_the_connection_usable(
    busy: LiveService,
) -> None:
    body = pull("x" * 40_000)
    for _ in range(5):
        with busy.wire() as wire:
            with full_house(busy):
                wire.send(head("POST", "/v1/pull", JSON, len(body)))
                time.sleep(0.05)
                wire.send(body)
                refused = wire.read()
                assert refused.status == 503
                assert "connection" not in refused.headers
            wire.send(head("POST", "/v1/pull", JSON, len(body)) + body)
            assert wire.read().status == 200


def test_a_large_refused_body_is_not_read_and_the_client_is_told_to_reconnect(
    busy: LiveService,
) -> None:
    with busy.wire() as wire, full_house(busy):
        wire.send(head("POST", "/v1/pull", JSON, 1 << 30) + b"{")
        refused = wire.read()
        assert (refused.status, refused.headers["connection"]) == (503, "close")
        assert wire.is_closed_by_server()


@pytest.mark.parametrize("path", ["/nowhere", "/livez"])
def test_an_answer_that_does_not_wait_for_a_large_body_says_that_the_connection_ends(
    busy: LiveService, path: str
) -> None:
    with busy.wire() as wire:
        wire.send(head("POST", path, JSON, 1 << 20) + b"{")
        assert wire.read().headers["connection"] == "close"


def test_only_scoring_is_refused_when_the_house_is_full(busy: LiveService) -> None:
    held = [threading.Thread(target=busy.pull, args=("sleep:0.2",)) for _ in range(PLACES)]
    for thread in held:
        thread.start()
    busy.wait_until_queued(PLACES)

    assert busy.get("/v1/pull").status == 405
    assert busy.request("POST", "/nowhere", b"").status == 404
    assert busy.get("/openapi.json").status == 200
    for thread in held:
        thread.join()


def test_a_slow_model_does_not_slow_the_probes_down(busy: LiveService) -> None:
    burning = threading.Thread(target=busy.pull, args=("burn:2",))
    burning.start()
    busy.wait_until_queued(1)
    assert busy.get("/livez").status == 200
    assert burning.is_alive()
    burning.join()


@pytest.mark.parametrize(
    ("size", "options"),
    [(1, ()), (QUICK_BYTES + 1, ()), (1, ("--in-turn",))],
    ids=["on the loop", "in a thread", "in turn"],
)
@pytest.mark.parametrize(
    ("what", "status"), [("", 200), ("prepare:fail", 500), ("fail", 500), ("render:fail", 500)]
)
def test_what_was_prepared_goes_with_its_answer_not_with_the_next_collection(
    size: int, options: tuple[str, ...], what: str, status: int, tmp_path: Path
) -> None:
    """A decoded picture is half a megabyte: what waits to be collected would be most of the memory."""
    with service(tmp_path, "--max-body-bytes", 200_000, *options) as live:
        live.pull("leave garbage")
        for _ in range(5):
            assert live.pull(f"{what}:" + "x" * size).status == status
        assert live.pull("exchanges").json["texts"] == ["1"]


def test_so_does_what_took_too_long_to_prepare_on_the_loop(tmp_path: Path) -> None:
    with service(tmp_path, "--in-turn", "--brief") as live:
        live.pull("leave garbage")
        for _ in range(5):
            assert live.pull("preparing long").status == 200
        assert live.pull("exchanges").json["texts"] == ["1"]
