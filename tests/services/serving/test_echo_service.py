"""A third model takes under forty lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.services.serving.live_service import JSON, LiveService

SOURCE = Path(__file__).with_name("echo_service.py")


def test_a_third_model_takes_fewer_than_40_lines_of_code() -> None:
    lines = [line for line in SOURCE.read_text().splitlines() if line.strip()]

    assert len(lines) < 40
    assert max(map(len, lines)) <= 100


def test_it_answers(echo: LiveService) -> None:
    answer = echo.request("POST", "/v1/echo", json.dumps({"text": "hé\0llo"}).encode(), JSON)

    assert answer.status == 200
    assert answer.json == {"text": "hé\0llo"}


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/openapi.json", "/docs"])
def test_it_has_what_every_service_has(echo: LiveService, path: str) -> None:
    assert echo.get(path).status == 200
