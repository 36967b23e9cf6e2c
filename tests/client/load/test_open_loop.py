"""The open loop against real servers: nothing that a service does changes the schedule."""

from __future__ import annotations

import asyncio
import threading
import time
from array import array

import pytest

from client.address import read_address
from client.load.arrivals import Arrivals, schedule
from client.load.open_loop import OpenLoop
from client.load.precise_loop import new_precise_loop
from client.load.recording import UNKNOWN, Outcome, Recording
from client.load.target import request_bytes
from client.load.workload import Workload

WORKLOAD = Workload("test", "/v1/match", "application/json", [b'{"question":"a"}', b"{}"])


def run_schedule(
    url: str, times: array[float], *, connections: int = 256, timeout: float = 5.0
) -> tuple[Recording, float]:
    address = read_address(url)

    async def run() -> tuple[Recording, float]:
        loop = OpenLoop(
            address, request_bytes(address, WORKLOAD), times, connections=connections,
            timeout=timeout,
        )  # fmt: skip
        return await loop.run(), loop.began

    with asyncio.Runner(loop_factory=new_precise_loop) as runner:
        return runner.run(run())


def constant(rate: float, seconds: float) -> array[float]:
    return schedule(Arrivals.CONSTANT, rate=rate, seconds=seconds, seed=0, most=100_000)


def latencies(recording: Recording) -> list[float]:
    return [
        finished - scheduled
        for finished, scheduled in zip(recording.finished, recording.scheduled, strict=True)
    ]


def test_every_request_is_sent_when_it_is_due_and_answered(service):
    times = constant(100, 1.0)
    recording, began = run_schedule(service.url, times)
    assert list(recording.outcome) == [200] * 100
    assert list(recording.scheduled) == pytest.approx([began + each for each in times])
    assert len(service.received) == 100
    assert {each.body for each in service.received} == set(WORKLOAD.bodies)
    lag = sorted(s - t for s, t in zip(recording.sent, recording.scheduled, strict=True))
    assert lag[50] < 0.05


@pytest.mark.parametrize("connections", [256, 4])
def test_a_stall_is_charged_to_every_request_that_was_due_meanwhile(service, connections):
    """The trap is coordinated omission: a client that waits would record one slow request."""
    gate = threading.Event()
    stalled_from = time.monotonic() + 0.4
    timer = threading.Timer(1.4, gate.set)
    timer.start()

    def stall(exchange) -> None:
        if time.monotonic() >= stalled_from:
            gate.wait(5)
        exchange.as_expected()

    service.behaviour = stall
    recording, _ = run_schedule(service.url, constant(50, 2.0), connections=connections)
    timer.join()
    opened = stalled_from + 1.0
    assert list(recording.outcome) == [200] * 100
    due = [
        (scheduled, latency)
        for scheduled, latency in zip(recording.scheduled, latencies(recording), strict=True)
        if stalled_from < scheduled < opened - 0.05
    ]
    assert len(due) >= 25
    for scheduled, latency in due:
        assert latency >= opened - scheduled - 0.02


def test_requests_beyond_the_connections_wait_and_their_wait_counts(service):
    service.behaviour = lambda exchange: (time.sleep(0.1), exchange.as_expected())
    recording, _ = run_schedule(service.url, constant(40, 0.5), connections=2)
    waits = [s - d for s, d in zip(recording.sent, recording.dispatched, strict=True)]
    assert max(latencies(recording)) > 0.4
    assert max(waits) > 0.3
    assert list(recording.outcome) == [200] * 20


def test_what_is_never_sent_within_its_time_is_told_from_what_is_not_answered(service):
    service.behaviour = lambda exchange: time.sleep(1.5)
    recording, _ = run_schedule(service.url, constant(400, 0.5), connections=3, timeout=0.4)
    outcomes = list(recording.outcome)
    assert outcomes[:3] == [Outcome.TIMED_OUT] * 3
    assert outcomes.count(Outcome.NEVER_SENT) >= 1
    assert set(outcomes) == {Outcome.TIMED_OUT, Outcome.NEVER_SENT}
    never = [row for row, each in enumerate(outcomes) if each == Outcome.NEVER_SENT]
    assert all(recording.sent[row] == UNKNOWN for row in never)
    assert max(latencies(recording)) < 1.4


def test_refusals_are_recorded_as_what_they_are(service):
    service.in_turn(
        lambda exchange: exchange.problem(503, Retry_After="1"),
        lambda exchange: exchange.problem(429),
        lambda exchange: exchange.as_expected(),
    )
    recording, _ = run_schedule(service.url, constant(20, 0.5))
    outcomes = sorted(recording.outcome)
    assert outcomes == [200] * 8 + [429, 503]


def test_cut_connections_are_failures_and_do_not_hurt_what_follows(service):
    service.in_turn(
        lambda exchange: exchange.cut(),
        lambda exchange: exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
        lambda exchange: exchange.as_expected(),
    )
    recording, _ = run_schedule(service.url, constant(20, 0.5))
    assert sorted(recording.outcome) == [Outcome.CONNECTION_FAILED] * 2 + [200] * 8


def test_what_is_not_http_is_told_so(service):
    service.behaviour = lambda exchange: exchange.raw(b"SSH-2.0-OpenSSH_9.9\r\n")
    recording, _ = run_schedule(service.url, constant(20, 0.2))
    assert set(recording.outcome) == {Outcome.NOT_HTTP}


def test_an_answer_that_ends_with_its_connection_is_an_answer(service):
    service.behaviour = lambda exchange: exchange.raw(b"HTTP/1.0 200 OK\r\n\r\nabc")
    recording, _ = run_schedule(service.url, constant(20, 0.2))
    assert set(recording.outcome) == {200}


def test_a_chunked_answer_and_an_interim_one_are_understood(service):
    service.behaviour = lambda exchange: exchange.wfile.write(
        b"HTTP/1.1 103 Early Hints\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    )
    recording, _ = run_schedule(service.url, constant(20, 0.5))
    assert set(recording.outcome) == {200}


def test_a_connection_that_the_service_closes_is_not_used_again(service):
    service.behaviour = lambda exchange: (
        exchange.answer({}, Connection="close"),
        time.sleep(0.3),
    )
    recording, _ = run_schedule(service.url, constant(50, 0.4))
    assert set(recording.outcome) == {200}


def test_connections_are_kept(service):
    connections = set()

    def note(exchange) -> None:
        connections.add(exchange.client_address)
        exchange.as_expected()

    service.behaviour = note
    run_schedule(service.url, constant(50, 0.6))
    assert len(connections) < 15


def test_nothing_listening_ends_every_request_at_once(closed_url):
    recording, _ = run_schedule(closed_url, constant(200, 0.3))
    assert set(recording.outcome) == {Outcome.CONNECTION_FAILED}
    assert len(recording) == 60
    assert max(latencies(recording)) < 1
