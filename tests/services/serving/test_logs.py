"""Logs are JSON and hold nothing that users sent."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from services.serving.api_keys import ApiKey, KeyFile, key_hash, write_key_file
from services.serving.logs import SafeJsonFormatter
from tests.services.serving.live_service import JSON, LiveService, head, pull, service

MARKER = "rts_marker-that-nobody-may-see"


@pytest.fixture(scope="module")
def talked_to(tmp_path_factory: pytest.TempPathFactory) -> LiveService:
    """A service that has been sent the marker in every place there is, and has ended."""
    folder = tmp_path_factory.mktemp("logs")
    keys = folder / "keys.json"
    entry = ApiKey(name="tester", sha256=key_hash(MARKER), scopes=frozenset({"lever"}))
    write_key_file(keys, KeyFile(keys=(entry,)))
    with service(folder, "--keys", keys, "--max-batch", 2) as live:
        good = {"X-API-Key": MARKER}
        live.pull(MARKER, headers=good)
        live.pull("x", headers={"X-API-Key": MARKER + "x"})
        live.pull("x", headers={"Authorization": f"Basic {MARKER}"})
        for text in (f"fail:{MARKER}", f"prepare:fail {MARKER}", f"render:fail {MARKER}",
                     f"sleep:{MARKER}", "extra"):  # fmt: skip
            assert live.pull(text, headers=good).status == 500
        live.request("POST", "/v1/pull", f'{{"texts": [{{"{MARKER}": 1}}]}}'.encode(), good)
        live.request("POST", "/v1/pull", MARKER.encode(), {**JSON, **good})
        live.request("POST", f"/v1/pull?q={MARKER}", pull("x"), {**JSON, **good})
        live.get(f"/{MARKER}")
        live.get(f"/docs/{MARKER}")
        live.request(MARKER, "/v1/pull")
        names = ("X-Request-Id", "Host", "User-Agent", "Cookie", "Content-Type",
                 "Content-Encoding", "X-Request-Timeout-Ms", "X-Forwarded-For", MARKER)  # fmt: skip
        for name in names:
            live.request("POST", "/v1/pull", pull("x"), {**good, name: f"{MARKER} {MARKER}"})
        with live.wire() as wire:
            wire.send(head("POST", f"/{MARKER}", {MARKER: MARKER}, 100) + MARKER.encode())
        with live.wire() as wire:
            wire.send(MARKER.encode() * 100 + b"\r\n\r\n")
        live.request("POST", "/v1/pull", pull("x"), {**JSON, **good, "X-Request-Id": "seen-id"})
        through_gateway = {"X-Request-Id": "through", "X-Forwarded-For": f"{MARKER}, 203.0.113.9"}
        live.request("POST", "/v1/pull", pull("x"), {**JSON, **good, **through_gateway})
    return live


@pytest.fixture
def records(talked_to: LiveService) -> list[dict[str, object]]:
    """Its log, line by line."""
    return [json.loads(line) for line in talked_to.log_text.splitlines()]


def test_every_line_is_json_with_time_level_logger_and_message(
    records: list[dict[str, object]],
) -> None:
    assert len(records) > 20
    for record in records:
        assert {"time", "level", "logger", "message"} <= record.keys()


def test_nothing_that_was_sent_is_in_the_log(talked_to: LiveService) -> None:
    assert MARKER not in talked_to.log_text
    assert "marker" not in talked_to.log_text


def test_no_traceback_is_in_the_log(talked_to: LiveService) -> None:
    assert "Traceback" not in talked_to.log_text
    assert 'File \\"' not in talked_to.log_text


def test_an_error_is_logged_by_type_and_place(records: list[dict[str, object]]) -> None:
    errors = [str(record["exc_info"]) for record in records if record["level"] == "ERROR"]

    assert any(error.startswith("ValueError at pull:") for error in errors)
    assert any(error.startswith("ValueError at prepare:") for error in errors)
    assert any(error.startswith("RuntimeError at _score_batch:") for error in errors)


def test_a_request_is_one_line_with_what_an_operator_needs(
    records: list[dict[str, object]],
) -> None:
    (record,) = [record for record in records if record.get("request_id") == "seen-id"]

    assert record["message"] == "request"
    assert (record["method"], record["route"], record["status"]) == ("POST", "/v1/pull", 200)
    assert record["key"] == "tester"
    assert record["bytes_in"] == len(pull("x"))
    assert isinstance(record["ms"], float)


def test_probes_are_not_logged(records: list[dict[str, object]]) -> None:
    assert not {"/livez", "/readyz"} & {str(record.get("route")) for record in records}


def test_the_model_that_runs_is_logged(records: list[dict[str, object]]) -> None:
    (record,) = [record for record in records if record["message"] == "model ready"]

    assert (record["model"], record["version"], record["backend"]) == ("lever", "7", "none")


def test_without_an_access_log_requests_leave_no_line(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with service(tmp_path_factory.mktemp("quiet"), "--no-access-log") as live:
        live.pull("x")
        live.get("/nowhere")
    assert len(live.log_text.splitlines()) == 1


def test_the_message_of_an_exception_and_of_its_cause_is_left_out() -> None:
    try:
        try:
            raise KeyError(MARKER)
        except KeyError as cause:
            raise ValueError(MARKER) from cause
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x", 1, "failed", (), sys.exc_info())
    line = SafeJsonFormatter().format(record)

    assert "ValueError at test_the_message" in json.loads(line)["exc_info"]
    assert MARKER not in line


def test_a_line_break_in_a_message_stays_in_its_line() -> None:
    record = logging.LogRecord("x", logging.INFO, "x", 1, "a\nb\u2028", (), None)

    assert "\n" not in SafeJsonFormatter().format(record)


def test_a_request_is_logged_with_its_clients_address(records: list[dict[str, object]]) -> None:
    clients = {r["request_id"]: r["client"] for r in records if r["message"] == "request"}
    assert clients["seen-id"] == "127.0.0.1"
    assert clients["through"] == "203.0.113.9"
