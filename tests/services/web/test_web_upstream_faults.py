"""Whatever a service does, the browser gets one plain sentence and no internals."""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from services.serving.problem import Problem
from services.web.settings import WebSettings
from services.web.upstream import REQUESTS_AT_ONCE, Reply, ScoringService
from tests.services.web.conftest import FAQ_KEY, RESNET_KEY, Web
from tests.services.web.upstream_stub import MATCHES, Answer, Received, contract, problem

INTERNALS = "node-7.internal: Traceback (most recent call last)"


def assert_problem(response: httpx.Response, status: int, detail: str) -> None:
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == status
    assert document["detail"] == document["error"] == detail
    assert document["request_id"] == response.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("answer", "status", "detail"),
    [
        (problem(401, INTERNALS), 502, "The client application's key is not accepted by the "
         "question service. Tell the operator."),
        (problem(403, INTERNALS), 502, "The client application's key is not accepted by the "
         "question service. Tell the operator."),
        (problem(404, INTERNALS), 502, "The question service failed."),
        (problem(500, INTERNALS), 502, "The question service failed."),
        (problem(504, INTERNALS), 504, "The question service did not answer in time."),
        (Answer(301, headers={"Location": "http://127.0.0.1:1/"}), 502,
         "The question service failed."),
        (Answer(cut=True), 502, "The question service failed."),
        (Answer(raw=b"<html>" + INTERNALS.encode()), 502,
         "The service gave an answer that cannot be read."),
        (Answer(raw=b"[" * 100_000), 502, "The service gave an answer that cannot be read."),
        (Answer(content={**MATCHES, "matches": [{"title": INTERNALS}]}), 502,
         "The service gave an answer that cannot be read."),
        (Answer(raw=b" " * (5 << 20)), 502, "The question service failed."),
        (Answer(422, raw=INTERNALS.encode(), headers={"Content-Type": "text/html"}), 422,
         "The service cannot use what was sent."),
    ],
)  # fmt: skip
def test_a_fault_becomes_a_plain_problem(
    web: Web, answer: Answer, status: int, detail: str
) -> None:
    web.faq.always(answer)
    response = web.ask()
    assert_problem(response, status, detail)
    assert INTERNALS not in response.text


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        (429, "The question service is asked too often."),
        (503, "The question service has no capacity left just now."),
    ],
)
def test_when_to_try_again_is_passed_on(web: Web, status: int, detail: str) -> None:
    web.faq.always(problem(status, INTERNALS, Retry_After="7"))
    response = web.ask()
    assert_problem(response, status, detail)
    assert response.headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [("99999999999999", "3600"), ("soon", None), ("-5", None), ("0", "1")],
)
def test_a_senseless_retry_after_does_no_harm(web: Web, given: str, passed_on: str | None) -> None:
    web.faq.always(problem(503, INTERNALS, Retry_After=given))
    assert web.ask().headers.get("Retry-After") == passed_on


def test_a_service_that_hangs_is_given_up_before_it_answers(web: Web) -> None:
    web.faq.always(Answer(content=MATCHES, delay_seconds=6))
    assert_problem(web.ask(), 504, "The question service did not answer in time.")


def test_a_service_that_trickles_is_given_up_too(web: Web) -> None:
    web.faq.always(Answer(raw=b" " * 100, trickle_seconds=0.1))
    assert_problem(web.ask(), 504, "The question service did not answer in time.")


def test_a_service_that_is_not_there_is_said_to_be_unreachable() -> None:
    outcomes: list[str] = []
    service = ScoringService(
        "picture service",
        "http://127.0.0.1:9",
        key_file=None,
        timeout_seconds=1,
        observe=lambda outcome, seconds: outcomes.append(outcome),
    )
    with pytest.raises(Problem, match=r"^The picture service cannot be reached\.$") as raised:
        service.post("/v1/classify", b"", "image/png", "id")
    assert raised.value.status == 502
    assert outcomes == ["unreachable"]


def test_a_service_that_hangs_takes_no_more_threads_than_its_share(web: Web) -> None:
    release = threading.Event()

    def hang(received: Received) -> Answer:
        release.wait(30)
        return contract(received)

    web.faq.answer = hang
    outcomes: list[str] = []
    service = ScoringService(
        "question service",
        web.faq.url,
        key_file=None,
        timeout_seconds=60,
        observe=lambda outcome, seconds: outcomes.append(outcome),
    )

    def call() -> Reply:
        return service.post("/v1/match", b"{}", "application/json", "id")

    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        under_way = [pool.submit(call) for _ in range(REQUESTS_AT_ONCE)]
        try:
            until = time.monotonic() + 20
            while len(web.faq.received) < REQUESTS_AT_ONCE and time.monotonic() < until:
                time.sleep(0.01)
            with pytest.raises(Problem, match="Too many people use the question service") as raised:
                call()
            assert raised.value.status == 503
            assert raised.value.headers["Retry-After"] == "1"
            assert outcomes == ["busy"]
        finally:
            release.set()
        assert [each.result().status for each in under_way] == [200] * REQUESTS_AT_ONCE
    assert call().status == 200, "the places are free again"


def test_there_are_threads_left_for_the_page_when_both_services_hang() -> None:
    assert WebSettings().request_threads > 2 * REQUESTS_AT_ONCE


def test_a_key_file_that_changes_needs_no_restart(web: Web) -> None:
    web.faq_key_file.write_text("a-newer-key")
    assert web.ask().status_code == 200
    assert web.faq.received[0].headers["X-API-Key"] == "a-newer-key"


def test_a_key_file_that_is_gone_is_the_operators_business(web: Web) -> None:
    web.faq_key_file.unlink()
    response = web.ask()
    assert response.status_code == 502
    assert "Tell the operator." in response.json()["detail"]
    assert web.faq.received == []
    outcome = 'web_upstream_duration_seconds_count{outcome="no key",service="faq"} 1.0'
    assert outcome in httpx.get(web.metrics_url).text
    assert str(web.faq_key_file) in web.log.read_text()


def test_no_key_and_no_question_is_in_any_response_or_in_the_log(web: Web) -> None:
    secret_words = "my unmistakable question"
    answers = [contract, lambda _: problem(401, FAQ_KEY), lambda _: problem(500, FAQ_KEY),
               lambda _: Answer(cut=True), lambda _: Answer(raw=FAQ_KEY.encode()),
               lambda _: problem(503, FAQ_KEY)]  # fmt: skip
    seen: list[str] = []
    for answer in answers:
        web.faq.answer = web.resnet.answer = answer
        for response in (web.ask(secret_words), web.classify(), web.http.get("/")):
            seen.append(str(response.headers) + response.text)
    everything = "\n".join([*seen, web.log.read_text(), httpx.get(web.metrics_url).text])
    assert FAQ_KEY not in everything
    assert RESNET_KEY not in everything
    assert secret_words not in everything
    assert re.search(r'"route": "/api/ask", "status": 200', everything), "the log was looked at"
