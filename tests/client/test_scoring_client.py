"""The client against a service that answers, refuses, stalls and breaks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import client
from client import NO_RETRIES, ScoringClient

KEY = "rts_do-not-show-this-key"
MODEL = '{"name":"a","version":"1"}'


@pytest.fixture
def impatient(service) -> Iterator[ScoringClient]:
    """A client that never tries again."""
    with ScoringClient(service.url, KEY, retries=NO_RETRIES, timeout=5) as made:
        yield made


def test_a_question_is_answered_with_typed_matches(impatient):
    answer = impatient.match("var or let?", top_k=2, min_score=0.1, include_answers=True)
    assert answer.model == client.ModelReference("faq", "3")
    assert not answer.low_signal
    first, second = answer.matches
    assert (first.question_id, first.answer_id, first.score) == (1001, 2001, 0.875)
    assert first.answer is not None
    assert (second.url, second.answer) == (None, None)


def test_only_what_was_asked_for_is_sent(service, impatient):
    impatient.match("ü?")
    impatient.match("q", top_k=3, min_score=0.5, include_answers=True)
    first, second = (json.loads(each.body) for each in service.received)
    assert first == {"question": "ü?"}
    assert second == {"question": "q", "top_k": 3, "min_score": 0.5, "include_answers": True}


def test_a_picture_is_sent_as_it_is_with_its_media_type(service, impatient, tmp_path):
    picture = b"\xff\xd8\xff\xe0 not much of a picture"
    path = tmp_path / "flower.jpg"
    path.write_bytes(picture)
    for each in (picture, path):
        answer = impatient.classify(each, top_k=2)
        assert answer.predictions[0] == client.Prediction(985, "daisy", 0.75)
    for received in service.received:
        assert received.path == "/v1/classify?top_k=2"
        assert received.body == picture
        assert received.headers["content-type"] == "image/jpeg"


def test_key_and_remaining_time_travel_as_headers(service, impatient):
    impatient.match("q")
    headers = service.received[0].headers
    assert headers["x-api-key"] == KEY
    assert 4000 < int(headers["x-request-timeout-ms"]) <= 5000


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, client.InvalidRequest),
        (401, client.Unauthorized),
        (403, client.Forbidden),
        (404, client.NotFound),
        (413, client.TooLarge),
        (415, client.UnsupportedPicture),
        (422, client.InvalidRequest),
        (429, client.RateLimited),
        (500, client.ServiceFailed),
        (502, client.ServiceFailed),
        (503, client.AtCapacity),
        (504, client.DeadlineExceeded),
        (301, client.UnexpectedAnswer),
        (418, client.Refused),
    ],
)
def test_every_refusal_has_a_type_of_its_own(service, impatient, status, expected):
    service.behaviour = lambda exchange: exchange.problem(status)
    with pytest.raises(client.ScoringError) as raised:
        impatient.match("q")
    assert type(raised.value) is expected
    assert len(service.received) == 1


def test_a_refusal_carries_all_that_the_service_said(service, impatient):
    document = {
        "detail": "The request is invalid.",
        "errors": [{"field": "top_k", "message": "must be at most 100"}],
    }
    service.behaviour = lambda exchange: exchange.answer(
        document, 422, "application/problem+json", X_Request_Id="abc123"
    )
    with pytest.raises(client.InvalidRequest) as raised:
        impatient.match("q")
    assert raised.value.errors == (client.FieldError("top_k", "must be at most 100"),)
    assert raised.value.request_id == "abc123"
    assert str(raised.value) == ("The request is invalid.; top_k: must be at most 100 (422)")


@pytest.mark.parametrize("kind", [client.RateLimited, client.AtCapacity])
def test_retry_after_is_known_to_the_caller(service, impatient, kind):
    status = 429 if kind is client.RateLimited else 503
    service.behaviour = lambda exchange: exchange.problem(status, Retry_After="7")
    with pytest.raises(kind) as raised:
        impatient.match("q")
    assert raised.value.retry_after == 7


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b'{"matches": [', "application/json"),
        (b"<html>Welcome to nginx!</html>", "text/html"),
        (b"[]", "application/json"),
        (b"{}", "application/json"),
        (b'{"matches":[{"question_id":true}],"low_signal":false}', "application/json"),
        (
            b'{"matches":[],"low_signal":"no","model":{"name":"a","version":"1"}}',
            "application/json",
        ),
        (b'{"matches":[],"low_signal":false}', "application/json"),
        (b"[" * 200_000, "application/json"),
        (b"\xff\xfe\x00", "application/json"),
        (b"", "application/json"),
    ],
)
def test_an_answer_that_is_not_one_is_never_taken_for_one(
    service, impatient, content, content_type
):
    service.behaviour = lambda exchange: exchange.answer(content, content_type=content_type)
    with pytest.raises(client.UnexpectedAnswer):
        impatient.match("q")


@pytest.mark.parametrize("score", ["NaN", "Infinity", "true", '"0.5"', "null"])
def test_a_score_that_is_no_number_is_refused(service, impatient, score):
    content = f'{{"predictions":[{{"class_id":1,"label":"a","score":{score}}}],"model":{MODEL}}}'
    service.behaviour = lambda exchange: exchange.answer(content.encode())
    with pytest.raises(client.UnexpectedAnswer, match="score"):
        impatient.classify(b"x")


def test_a_page_of_a_gateway_is_not_repeated(service, impatient):
    service.behaviour = lambda exchange: exchange.answer(
        b"<h1>secret stack trace</h1>", 502, "text/html"
    )
    with pytest.raises(client.ServiceFailed) as raised:
        impatient.match("q")
    assert str(raised.value) == "Bad Gateway (502)"


def test_control_characters_of_a_problem_never_reach_a_terminal(service, impatient):
    service.behaviour = lambda exchange: exchange.problem(422, "red\x1b[31m\r\nalert")
    with pytest.raises(client.InvalidRequest) as raised:
        impatient.match("q")
    assert str(raised.value) == "red [31m alert (422)"


def test_an_answer_without_end_is_given_up(service, impatient, monkeypatch):
    monkeypatch.setattr("client.scoring_client.ANSWER_LIMIT", 1000)
    service.behaviour = lambda exchange: exchange.answer(b" " * 2000)
    with pytest.raises(client.UnexpectedAnswer, match="larger"):
        impatient.match("q")


def test_a_slow_service_is_given_up_in_time(service):
    finished = threading.Event()

    def stall(exchange) -> None:
        time.sleep(3)
        finished.set()

    service.behaviour = stall
    with (
        ScoringClient(service.url, timeout=0.3) as made,
        pytest.raises(client.DeadlineExceeded, match=r"0\.3 s"),
    ):
        made.match("q")
    assert not finished.is_set()


def test_an_answer_that_drips_is_given_up_in_time(service):
    finished = threading.Event()

    def drip(exchange) -> None:
        exchange.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        with suppress(OSError):
            for _ in range(100):
                exchange.wfile.write(b" ")
                time.sleep(0.05)
            finished.set()

    service.behaviour = drip
    with (
        ScoringClient(service.url, timeout=0.3) as made,
        pytest.raises(client.DeadlineExceeded),
    ):
        made.match("q")
    assert not finished.is_set()


def test_nothing_listening_is_unreachable(closed_url):
    with (
        ScoringClient(closed_url, retries=NO_RETRIES) as made,
        pytest.raises(client.Unreachable, match="no connection"),
    ):
        made.match("q")


def test_a_cut_connection_is_told_from_none(service, impatient):
    service.behaviour = lambda exchange: exchange.cut()
    with pytest.raises(client.ConnectionCut):
        impatient.match("q")


def test_an_answer_cut_in_the_middle_is_a_cut_connection(service, impatient):
    service.behaviour = lambda exchange: exchange.raw(
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"mat'
    )
    with pytest.raises(client.ConnectionCut):
        impatient.match("q")


def test_a_key_never_goes_to_another_machine_in_the_clear():
    with pytest.raises(ValueError, match="https") as raised:
        ScoringClient("http://scoring.example.org", KEY)
    assert KEY not in str(raised.value)
    ScoringClient("https://scoring.example.org", KEY).close()
    ScoringClient("http://faq.scoring.svc", KEY, key_over_plain_http=True).close()


def test_a_redirect_is_not_followed_with_the_key(service, impatient):
    service.behaviour = lambda exchange: exchange.answer(
        b"", 308, Location=f"{service.url}/elsewhere"
    )
    with pytest.raises(client.UnexpectedAnswer, match="redirect"):
        impatient.match("q")
    assert len(service.received) == 1


def test_a_proxy_of_the_environment_is_not_told_of_local_requests(service, monkeypatch, closed_url):
    monkeypatch.setenv("HTTP_PROXY", closed_url)
    monkeypatch.setenv("ALL_PROXY", closed_url)
    with ScoringClient(service.url, KEY, retries=NO_RETRIES) as made:
        assert made.match("q").matches


@pytest.mark.parametrize("timeout", [0, -1, 601, float("nan")])
def test_a_senseless_timeout_is_refused(timeout):
    with pytest.raises(ValueError, match="timeout"):
        ScoringClient("http://127.0.0.1:1", timeout=timeout)


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "ü", "x" * 257])
def test_what_cannot_be_a_key_is_refused_without_repeating_it(key):
    with pytest.raises(ValueError, match="not an API key") as raised:
        ScoringClient("http://127.0.0.1:1", key)
    assert not key or key not in str(raised.value)


def test_a_question_that_is_not_unicode_is_refused(impatient):
    with pytest.raises(ValueError, match="Unicode"):
        impatient.match("\udcff")


def test_a_folder_is_not_a_picture(impatient, tmp_path: Path):
    with pytest.raises(ValueError, match="directory"):
        impatient.classify(tmp_path)
