"""POST /api/ask: from the browser's question to the matches that are safe to show."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.services.web.conftest import FAQ_KEY, RESNET_KEY, Web
from tests.services.web.upstream_stub import MATCHES, Answer


def test_the_question_goes_to_the_service_with_the_key(web: Web) -> None:
    response = web.ask("  why is 10 before 2?\n")
    assert response.status_code == 200
    (received,) = web.faq.received
    assert received.path == "/v1/match"
    assert json.loads(received.body) == {
        "question": "why is 10 before 2?",
        "top_k": 5,
        "include_answers": True,
    }
    assert received.headers["X-API-Key"] == FAQ_KEY
    assert RESNET_KEY not in str(received.headers)


def test_the_matches_come_back_in_order(web: Web) -> None:
    answer = web.ask().json()
    assert [match["title"] for match in answer["matches"]] == [
        match["title"]  # type: ignore[index]
        for match in MATCHES["matches"]  # type: ignore[attr-defined]
    ]
    assert answer["matches"][0]["score"] == 0.93
    assert answer["low_signal"] is False
    assert answer["model"] == {"name": "faq", "version": "1"}


def test_a_low_signal_is_passed_on(web: Web) -> None:
    web.faq.always(Answer(content={**MATCHES, "low_signal": True}))
    assert web.ask().json()["low_signal"] is True


def test_answers_and_addresses_are_made_safe(web: Web) -> None:
    match = {
        "question_id": 1,
        "title": "<b>t</b>",
        "url": "javascript:alert(1)",
        "score": 1.0,
        "answer": '<p onclick="x()">a<script>b()</script><a href="javascript:c()">d</a></p>',
    }
    web.faq.always(Answer(content={**MATCHES, "matches": [match]}))
    (safe,) = web.ask().json()["matches"]
    assert safe["url"] is None
    assert safe["answer"] == '<p>a<a target="_blank" rel="noopener nofollow">d</a></p>'
    assert safe["title"] == "<b>t</b>", "a title is text; the page shows it as such"


def test_whose_the_texts_are_comes_with_them(web: Web) -> None:
    attribution = {
        "kind": "answer", "id": 2, "created": "2020-01-02", "url": "https://a.example/a/2",
        "author": "<i>Ann</i>", "author_url": "javascript:alert(1)",
        "licence": "CC BY-SA 4.0", "licence_url": "data:text/html,x",
    }  # fmt: skip
    match = {
        "question_id": 1, "title": "t", "url": None, "score": 1.0, "source_id": "KB-0042",
        "attribution": {**attribution, "kind": "original", "id": 1, "url": "file:///etc/passwd"},
        "answer_attribution": attribution,
    }  # fmt: skip
    web.faq.always(Answer(content={**MATCHES, "matches": [match]}))
    (safe,) = web.ask().json()["matches"]
    assert safe["answer_attribution"] == {
        "author": "<i>Ann</i>", "author_url": None, "url": "https://a.example/a/2",
        "licence": "CC BY-SA 4.0", "licence_url": None,
    }, "names are text; the page shows them as such"  # fmt: skip
    assert safe["attribution"]["url"] is None
    assert safe["source_id"] == "KB-0042"


def test_texts_of_nobody_in_particular_are_shown_too(web: Web) -> None:
    assert web.ask().json()["matches"][0]["answer_attribution"] is None


@pytest.mark.parametrize("question", ["", "   \n ", "x" * 20_001, 7, None, ["a"]])
def test_a_question_that_is_none_is_refused(web: Web, question: object) -> None:
    response = web.ask(question)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "question"
    assert web.faq.received == []


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"[]", 422), (b"{}", 422), (b"\xff\xfe", 400), (b"null", 422)],
)
def test_a_body_that_is_no_question_is_refused(web: Web, body: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json"}
    assert web.http.post("/api/ask", content=body, headers=headers).status_code == status
    assert web.faq.received == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_json_is_taken(web: Web, kind: str) -> None:
    response = web.http.post("/api/ask", content=b"{}", headers={"Content-Type": kind})
    assert response.status_code == 415


def test_a_large_body_is_refused_whether_announced_or_not(web: Web) -> None:
    headers = {"Content-Type": "application/json"}
    announced = httpx.post(f"{web.url}/api/ask", content=b" " * 200_000, headers=headers)
    assert announced.status_code == 413
    pieces = (b" " * 50_000 for _ in range(4))
    chunked = httpx.post(f"{web.url}/api/ask", content=pieces, headers=headers)
    assert chunked.status_code == 413


def test_the_request_id_goes_there_and_back(web: Web) -> None:
    response = web.ask(**{"X-Request-Id": "abc-123"})
    assert response.headers["X-Request-Id"] == "abc-123"
    assert web.faq.received[0].headers["X-Request-Id"] == "abc-123"


def test_a_gateways_own_request_id_is_what_the_user_learns(web: Web) -> None:
    web.faq.always(Answer(content=MATCHES, headers={"X-Request-Id": "from-the-gateway"}))
    assert web.ask().headers["X-Request-Id"] == "from-the-gateway"


def test_a_request_id_that_could_break_a_log_is_replaced(web: Web) -> None:
    given = web.ask(**{"X-Request-Id": "a b{}"}).headers["X-Request-Id"]
    assert given != "a b{}"
    assert web.faq.received[0].headers["X-Request-Id"] == given
