"""What the HTTP side of every service does: errors in one shape, request ids, liveness."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.serving import application
from services.serving.application import Service
from tests.services.serving.lever_service import LeverModel, LeverSettings
from tests.services.serving.live_service import JSON, Answer, LiveService, head, pull

POST = "/v1/pull"


def assert_is_problem(answer: Answer, status: int) -> None:
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["error"] == answer.json["detail"]
    assert answer.json["title"]
    assert answer.json["request_id"] == answer.headers["x-request-id"]
    assert b"Traceback" not in answer.body
    assert b"<" not in answer.body


BAD_BODIES = {
    "empty": (b"", 400),
    "not JSON": (b"{'texts': 1}", 400),
    "cut short": (b'{"texts": ["a"', 400),
    "trailing rubbish": (pull("a") + b"x", 400),
    "two documents": (pull("a") * 2, 400),
    "not UTF-8": (b'{"texts": ["\xff\xfe"]}', 400),
    "raw surrogate": (b'{"texts": ["\xed\xa0\x80"]}', 400),
    "escaped lone surrogate": (rb'{"texts": ["\ud800"]}', 400),
    "escaped low surrogate": (rb'{"texts": ["\udc00 x"]}', 400),
    "raw control character": (b'{"texts": ["\x01"]}', 400),
    "UTF-16": ('{"texts": ["a"]}'.encode("utf-16"), 400),
    "NaN": (b'{"texts": NaN}', 400),
    "1,000 brackets": (b"[" * 1000, 400),
    "10,000 brackets": (b"[" * 10_000, 422),
    "10,000 nested lists": (b"[" * 10_000 + b"]" * 10_000, 422),
    "10,000 nested objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 422),
    "huge exponent": (b'{"texts": 1e999}', 400),
    "huge integer": (b'{"texts": ' + b"9" * 5000 + b"}", 400),
    "a list": (b"[]", 422),
    "null": (b"null", 422),
    "a number": (b"1", 422),
    "wrong type": (b'{"texts": "a"}', 422),
    "wrong type inside": (b'{"texts": ["a", 1]}', 422),
    "missing field": (b"{}", 422),
    "no items": (b'{"texts": []}', 422),
    "too many items": (pull(*["a"] * 1001), 422),
}


@pytest.mark.parametrize(("body", "status"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_bad_body_is_a_problem(lever: LiveService, body: bytes, status: int) -> None:
    assert_is_problem(lever.request("POST", POST, body, JSON), status)


def test_a_number_beyond_every_type_is_a_problem(lever: LiveService) -> None:
    for number in (b"1e400", b"-1e400", b"1" + b"0" * 400, b"0." + b"0" * 4000 + b"1"):
        answer = lever.request("POST", POST, b'{"texts": ' + number + b"}", JSON)
        assert answer.status in (400, 422)


def test_the_fields_that_failed_are_named_but_not_repeated(lever: LiveService) -> None:
    answer = lever.request("POST", POST, b'{"texts": ["a", {"marker-x": 1}]}', JSON)

    assert answer.json["errors"] == [
        {"field": "texts.1", "message": "Input should be a valid string"}
    ]
    assert b"marker" not in answer.body


@pytest.mark.parametrize("text", ["\0", "\x7f", "\u2028", "\U0001f600", "é" * 1000, "a\\u0000b"])
def test_any_text_in_utf_8_is_taken(lever: LiveService, text: str) -> None:
    assert lever.pull(text).json["texts"] == [text]


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/xml", "multipart/form-data", "x"]
)
def test_another_media_type_is_a_problem(lever: LiveService, media_type: str) -> None:
    answer = lever.request("POST", POST, pull("a"), {"Content-Type": media_type})

    assert_is_problem(answer, 415)
    assert answer.headers["accept"] == "application/json"


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/json; charset=utf-8"}])
def test_json_needs_no_media_type_and_may_have_parameters(
    lever: LiveService, headers: dict[str, str]
) -> None:
    assert lever.request("POST", POST, pull("a"), headers).status == 200


@pytest.mark.parametrize(
    "path",
    ["/", "/nowhere", "/v1", "/v1/pull/", "//v1//pull", "/V1/pull", "/v1/%70ull2", "/%00", "/%ff",
     "/../etc/passwd", "/docs/../../etc/passwd", "/docs/%2e%2e/%2e%2e/openapi.py", "/docs/nothing",
     "/metrics", "/static/x", "/v1/pull;x", "/" + "x" * 5000, "/" + "a/" * 2000],
)  # fmt: skip
def test_an_unknown_path_is_a_problem(lever: LiveService, path: str) -> None:
    assert_is_problem(lever.get(path), 404)


def test_a_path_may_be_percent_encoded(lever: LiveService) -> None:
    assert lever.request("POST", "/v1/%70ull", pull("a"), JSON).status == 200


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", POST, "POST"),
        ("HEAD", POST, "POST"),
        ("OPTIONS", POST, "POST"),
        ("TRACE", POST, "POST"),
        ("PUT", POST, "POST"),
        ("DELETE", POST, "POST"),
        ("PATCH", POST, "POST"),
        ("POST", "/livez", "GET, HEAD"),
        ("DELETE", "/openapi.json", "GET, HEAD"),
        ("OPTIONS", "/docs", "GET, HEAD"),
        ("TRACE", "/readyz", "GET, HEAD"),
    ],
)
def test_another_method_is_a_problem_that_names_the_allowed_ones(
    lever: LiveService, method: str, path: str, allow: str
) -> None:
    answer = lever.request(method, path)

    assert answer.status == 405
    assert ", ".join(sorted(re.findall(r"\w+", answer.headers["allow"]))) == allow
    if method != "HEAD":
        assert_is_problem(answer, 405)


def test_a_method_that_does_not_exist_is_a_problem(lever: LiveService) -> None:
    assert lever.request("NONSENSE", POST).status == 400


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/openapi.json", "/docs"])
def test_head_is_get_without_the_body(lever: LiveService, path: str) -> None:
    answer = lever.request("HEAD", path)

    assert (answer.status, answer.body) == (200, b"")


def test_an_error_of_the_model_is_a_problem_without_details(lever: LiveService) -> None:
    for text in ("fail", "extra", "prepare:fail", "render:fail"):
        answer = lever.pull(text)
        assert_is_problem(answer, 500)
        assert b"cannot" not in answer.body


@pytest.mark.parametrize(
    "hosts", [[""], ["a b"], ["a..b"], ["[::1"], ["x" * 300], ["\xff"], ["a/b"], ["a:b:c"],
              ["ok", "other"], ["127.0.0.1:99999999"], ["xn--a"], ["%"]],
)  # fmt: skip
def test_no_host_header_breaks_the_service(lever: LiveService, hosts: list[str]) -> None:
    headers = [("Host", host) for host in hosts]
    answer = lever.request("GET", "/livez", headers=headers)

    assert answer.status in (200, 400)


@pytest.mark.parametrize(
    "pairs",
    [
        [("Content-Type", "application/json"), ("Content-Type", "text/plain")],
        [("X-API-Key", "a"), ("X-API-Key", "b")],
        [("Authorization", "Bearer a"), ("Authorization", "Basic b")],
        [("Content-Encoding", "gzip"), ("Content-Encoding", "gzip")],
        [("X-Request-Id", "a"), ("X-Request-Id", "b")],
        [("X-Request-Timeout-Ms", "5"), ("X-Request-Timeout-Ms", "6")],
        [("Content-Length", "3"), ("Content-Length", "4")],
        [("Content-Length", "3"), ("Transfer-Encoding", "chunked")],
        [("Transfer-Encoding", "gzip, chunked")],
        [("Transfer-Encoding", "nonsense")],
        [("Expect", "100-continue")],
        [("Connection", "Upgrade"), ("Upgrade", "websocket")],
        [("Cookie", "a=b; " * 1000)],
        [("Proxy", "http://evil"), ("X-Forwarded-Host", "evil"), ("X-Forwarded-Proto", "x")],
        [("X-Long", "x" * 60_000)],
        [(f"X-{number}", "x") for number in range(95)],
        [(f"X-{number}", "x") for number in range(2000)],
        [("Bad Name", "x")],
        [("X", "\x01")],
    ],
)
def test_no_odd_header_breaks_the_service(lever: LiveService, pairs: list[tuple[str, str]]) -> None:
    body = pull("a")
    with lever.wire() as wire:
        length = None if any("Length" in n or "Transfer" in n for n, _ in pairs) else len(body)
        wire.send(head("POST", POST, pairs, length) + body)
        with contextlib.suppress(OSError):  # the service may have closed it already
            wire.socket.shutdown(1)
        try:
            assert wire.read().status < 500
        except ConnectionError:
            assert wire.is_closed_by_server()
    assert lever.pull("still there").status == 200


@pytest.mark.parametrize("length", [8_000, 70_000, 1_000_000])
def test_no_long_url_breaks_the_service(lever: LiveService, length: int) -> None:
    with lever.wire() as wire:
        try:
            wire.send(head("GET", "/livez?" + "x" * length))
            assert wire.read("GET").status in (200, 400, 414, 431)
        except OSError:
            pass
    assert lever.get("/livez").status == 200


def test_what_is_no_request_is_answered_with_an_id_counted_and_logged(lever: LiveService) -> None:
    sample = 'modelsvc_requests_total{code="400",route="unknown"}'
    before = lever.metric(sample)
    with lever.wire() as wire:
        wire.send(b"secret nonsense\r\n\r\n")
        answer = wire.read()

    assert answer.status == 400
    request_id = answer.headers["x-request-id"]
    assert answer.json["request_id"] == request_id
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert lever.metric(sample) == before + 1
    (line,) = [line for line in lever.log_text.splitlines() if request_id in line]
    assert json.loads(line)["client"] == "127.0.0.1"
    assert json.loads(line)["status"] == 400
    assert "secret" not in line


@pytest.mark.parametrize("given_id", ["abc-123", "A.b_c", "x" * 64])
def test_a_well_formed_request_id_is_echoed(lever: LiveService, given_id: str) -> None:
    answer = lever.pull("x", headers={"X-Request-Id": given_id})

    assert answer.headers["x-request-id"] == given_id


@pytest.mark.parametrize("given_id", ["", "a b", "x" * 65, "<script>", "a;b", "\xe9"])
def test_another_request_id_is_replaced(lever: LiveService, given_id: str) -> None:
    answer = lever.pull("x", headers={"X-Request-Id": given_id})

    assert answer.headers["x-request-id"] != given_id
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", answer.headers["x-request-id"])


def test_request_ids_differ(lever: LiveService) -> None:
    assert len({lever.get("/livez").headers["x-request-id"] for _ in range(20)}) == 20


def test_an_answer_says_what_browsers_must_not_do_with_it(lever: LiveService) -> None:
    headers = lever.pull("x").headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["x-model-version"] == "7"
    assert re.match(r"prepare;dur=[\d.]+, model;dur=[\d.]+, total;dur=", headers["server-timing"])


@pytest.fixture
def service() -> Iterator[Service]:
    """The application around a lever model, in this process."""
    lever_settings = LeverSettings(deadline_ms=300)
    each = Service(LeverModel(lever_settings), lever_settings)
    yield each
    each.batcher.close()


def test_a_model_that_hangs_is_not_alive_but_everything_else_answers(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "STUCK_SECONDS", 0.3)
    service.lifecycle.start()
    client = service.flask.test_client()
    hanging = threading.Thread(
        target=lambda: service.flask.test_client().post(POST, json={"texts": ["sleep:1"]})
    )
    hanging.start()
    time.sleep(0.1)
    assert client.get("/livez").status_code == 200
    time.sleep(0.4)

    answer = client.get("/livez")
    assert (answer.status_code, answer.json) == (503, {"status": "stuck"})
    assert client.get("/readyz").status_code == 200
    assert client.get("/openapi.json").status_code == 200
    hanging.join()
    time.sleep(0.7)
    assert client.get("/livez").status_code == 200


def test_a_service_whose_batcher_died_is_not_alive(service: Service) -> None:
    service.batcher.close()

    assert service.flask.test_client().get("/livez").status_code == 503


def test_a_service_is_ready_only_between_start_and_drain(service: Service) -> None:
    client = service.flask.test_client()

    assert client.get("/readyz").status_code == 503
    service.lifecycle.start()
    assert client.get("/readyz").status_code == 200
    service.lifecycle.drain()
    assert client.get("/readyz").status_code == 503


def test_the_docs_come_with_their_files_and_a_policy_that_lets_them_run(
    lever: LiveService,
) -> None:
    page = lever.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src" not in page.headers["content-security-policy"]
    assert "default-src 'self'" in page.headers["content-security-policy"]
    names = re.findall(r'(?:src|href)="(docs/[^"]+)"', page.body.decode())

    assert len(names) >= 4
    for name in names:
        file = lever.get(f"/{name}")
        assert file.status == 200
        assert "default-src 'self'" in file.headers["content-security-policy"]
        assert file.body
    assert b"http" not in re.sub(rb"<!--.*?-->", b"", page.body)


def test_the_pages_are_part_of_the_package() -> None:
    assert (Path(application.__file__).parent / "pages" / "docs.js").exists()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=300),
    content_type=st.text(st.characters(max_codepoint=255), max_size=40),
)
def test_any_body_of_any_type_is_an_answer_or_a_client_s_fault(
    service: Service, body: bytes, content_type: str
) -> None:
    answer = service.flask.test_client().post(
        POST, data=body, headers={"Content-Type": re.sub(r"[\r\n]", "", content_type)}
    )

    assert answer.status_code in (200, 400, 415, 422)
