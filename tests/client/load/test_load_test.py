"""The whole load test against a service whose capacity is known."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace

import pytest

from client.address import read_address
from client.load import (
    Arrivals,
    Latency,
    LoadPlan,
    LoadRefused,
    Step,
    faq_workload,
    resnet_workload,
    run_load_test,
)
from client.load.load_test import has_recovered
from client.load.plot import write_plot
from client.load.report import json_report, text_report, write_json

KEY = "rts_do-not-show-this-key"
CAPACITY = 100.0


class LimitedService:
    """Answers 100 requests a second, one after another, and refuses when 8 wait."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._room = threading.BoundedSemaphore(8)

    def __call__(self, exchange) -> None:
        if not self._room.acquire(blocking=False):
            exchange.problem(503, Retry_After="1")
            return
        try:
            with self._one_at_a_time:
                time.sleep(1 / CAPACITY)
        finally:
            self._room.release()
        exchange.as_expected()


def plan_for(service) -> LoadPlan:
    service.behaviour = LimitedService()
    return LoadPlan(
        read_address(service.url), faq_workload(), api_key=KEY, arrivals=Arrivals.CONSTANT,
        rates=(0.5, 4.0), seconds=1.5, level_seconds=0.8, deadline_ms=1500, timeout=4,
        max_callers=4, recover=True,
    )  # fmt: skip


@pytest.fixture
def plan(service) -> LoadPlan:
    return plan_for(service)


@pytest.fixture(scope="module")
def report(shared_service):
    return run_load_test(plan_for(shared_service))


def test_saturation_overload_and_recovery_are_measured(report, shared_service):
    assert 0.3 * CAPACITY < report.saturation.throughput <= 1.1 * CAPACITY
    half, fourfold, again = report.steps
    # Not all of them: a machine that is busy sends and counts some too late, and what it sends late
    # comes at once, so that some of it is refused.
    assert half.good_share > 0.9
    assert half.answers.get(503, 0) < 0.1 * fourfold.answers[503]
    assert fourfold.offered_rate == pytest.approx(4 * report.saturation.throughput, rel=0.05)
    assert fourfold.answers[503] > 0
    assert 0.2 * CAPACITY < fourfold.goodput < 1.2 * CAPACITY
    assert again.name == "recovery"
    assert again.offered_rate == pytest.approx(half.offered_rate, rel=0.05)
    assert again.good_share > 0.9
    assert report.recovered is has_recovered(half, again)
    assert {each.headers["x-api-key"] for each in shared_service.received} == {KEY}


def test_the_reports_hold_the_figures_and_never_the_key(report, tmp_path):
    write_json(report, tmp_path / "report.json")
    write_plot(report, tmp_path / "report.png")
    write_plot(report, tmp_path / "report.svg")
    text = text_report(report)
    data = json.loads((tmp_path / "report.json").read_text())
    assert f"Saturation: {report.saturation.throughput:,.1f} answers/s" in text
    assert f"70% of it: {report.saturation.comfortable_rate:,.1f} requests/s" in text
    assert f"{report.steps[1].answers[503]} of 503" in text
    assert data["saturation"]["comfortable_rate"] == report.saturation.comfortable_rate
    assert data["steps"][1]["latency"]["p99_ms"] == report.steps[1].latency.p99_ms
    assert data["plan"]["seed"] == 1
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")
    svg = (tmp_path / "report.svg").read_text()
    assert "<svg" in svg
    for shown in (text, json.dumps(data), svg, repr(report)):
        assert KEY not in shown
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "report.json", "report.png", "report.svg",
    ]  # fmt: skip


def test_a_known_saturation_is_not_measured_again(plan, service):
    report = run_load_test(replace(plan, saturation=40.0, rates=(1.0,), recover=False))
    assert report.saturation.levels == ()
    assert report.recovered is None
    assert len(service.received) == 1 + report.steps[0].offered == 1 + 60
    assert json_report(report)["recovered"] is None
    assert "given, not measured" in text_report(report)


def test_the_deadline_is_told_where_asked_for(plan, service):
    run_load_test(
        replace(plan, saturation=20.0, rates=(1.0,), seconds=0.5, recover=False, tell_deadline=True)
    )
    _, *loaded = service.received
    assert {each.headers["x-request-timeout-ms"] for each in loaded} == {"1500"}


def test_no_more_requests_are_sent_than_allowed(plan, service):
    report = run_load_test(
        replace(plan, saturation=100.0, rates=(1.0,), max_requests=30, recover=False)
    )
    assert len(service.received) == 1 + 30
    assert report.steps[0].cut_short
    assert report.steps[0].offered_rate == pytest.approx(100)
    assert "cut short" in text_report(report)
    with pytest.raises(LoadRefused, match="limit of requests"):
        run_load_test(replace(plan, max_requests=5))
    assert len(service.received) <= 1 + 30 + 1 + 5


def test_a_service_that_says_no_is_not_loaded(plan, service):
    service.behaviour = lambda exchange: exchange.problem(401, "A valid API key is needed.")
    with pytest.raises(LoadRefused, match=r"A valid API key is needed\. \(401\)"):
        run_load_test(plan)
    assert len(service.received) == 1


def test_nothing_listening_is_said(plan, closed_url):
    with pytest.raises(LoadRefused, match="no answer"):
        run_load_test(replace(plan, address=read_address(closed_url)))


@pytest.mark.parametrize("permitted", [None, "example.com"])
def test_another_host_is_not_loaded(plan, permitted):
    address = read_address("http://scoring.example.org")
    with pytest.raises(LoadRefused, match="is not this machine"):
        run_load_test(replace(plan, address=address, permitted_host=permitted))


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds": 601}, {"seconds": 0}, {"seconds": float("nan")}, {"rates": ()},
        {"rates": (0.0,)}, {"rates": (101.0,)}, {"max_requests": 0}, {"timeout": 0},
        {"connections": 0}, {"saturation": 0.0}, {"deadline_ms": 0},
    ],
)  # fmt: skip
def test_senseless_plans_are_refused(plan, wrong):
    with pytest.raises(ValueError, match="must be from"):
        replace(plan, **wrong)


def step(*, p95: float | None, good: int = 100) -> Step:
    return Step(
        name="50 %", share=0.5, offered=100, sent=100, seconds=1, offered_rate=100, sent_rate=100,
        throughput=100, goodput=good, good=good,
        latency=None if p95 is None else Latency(p95 / 2, p95, p95, p95),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("again", "recovered"),
    [
        (step(p95=40.0), True),
        (step(p95=59.0), True),
        (step(p95=61.0), False),
        (step(p95=40.0, good=98), False),
        (step(p95=None, good=0), False),
    ],
)
def test_recovered_means_as_good_and_nearly_as_fast_as_before(again, recovered):
    assert has_recovered(step(p95=40.0), again) is recovered


def test_a_millisecond_more_is_not_a_failure_to_recover():
    assert has_recovered(step(p95=1.0), step(p95=5.5))
    assert not has_recovered(step(p95=1.0), step(p95=6.5))


def test_generated_workloads_are_varied_and_repeatable():
    questions = [json.loads(body)["question"] for body in faq_workload().bodies]
    assert len(set(questions)) == len(questions) == 500
    assert 350 < sum(map(len, questions)) / 500 < 450
    assert faq_workload().bodies == faq_workload().bodies
    picture = resnet_workload()
    assert picture.content_type == "image/jpeg"
    assert picture.bodies == resnet_workload().bodies
    assert 30_000 < len(picture.bodies[0]) < 80_000
