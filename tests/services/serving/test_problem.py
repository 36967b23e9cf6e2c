"""Errors as problem details."""

from __future__ import annotations

import json
from http import HTTPStatus

import pytest

from services.serving.problem import Problem


def test_a_problem_says_the_same_to_rfc_9457_and_to_v2_clients() -> None:
    document = json.loads(Problem(413, "Too much.").body("id-1"))

    assert document == {
        "type": "about:blank",
        "title": HTTPStatus(413).phrase,
        "status": 413,
        "detail": "Too much.",
        "error": "Too much.",
        "request_id": "id-1",
    }


def test_field_errors_are_listed() -> None:
    errors = [{"field": "text", "message": "Field required"}]

    assert json.loads(Problem(422, "No.", errors=errors).body())["errors"] == errors


@pytest.mark.parametrize(
    ("seconds", "header"), [(0.0, "1"), (0.2, "1"), (1.0, "1"), (1.01, "2"), (59.5, "60")]
)
def test_the_time_to_come_back_is_in_whole_seconds_and_never_too_early(
    seconds: float, header: str
) -> None:
    assert Problem(503, "Full.", retry_after_seconds=seconds).headers == {"Retry-After": header}


def test_headers_of_one_problem_are_not_shared_with_the_next() -> None:
    headers = {"Connection": "close"}
    Problem(503, "Full.", headers=headers, retry_after_seconds=1)

    assert headers == {"Connection": "close"}
