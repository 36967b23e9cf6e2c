"""The gateway's own log: what no service answered well, and nothing that a query may hold."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.gateway.clients import Client
from tests.gateway.served import ServedGateway
from tests.waiting import wait_for

CODE = "code-of-a-sign-in"


def entries(gateway: ServedGateway, request_id: str) -> list[dict[str, Any]]:
    lines = (gateway.folder / "state" / "envoy-gateway.log").read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{") and request_id in line]


def test_what_failed_is_told_with_its_reason_and_without_its_query(
    client: Client, gateway: ServedGateway
) -> None:
    client.get(f"/echo?code={CODE}", headers={"X-Request-Id": "served-well"})
    client.get(f"/no/such/page?code={CODE}", headers={"X-Request-Id": "not-found"})
    (told,) = wait_for(lambda: entries(gateway, "not-found"), seconds=10)
    assert (told["method"], told["path"], told["status"]) == ("GET", "/no/such/page", 404)
    assert told["client"] == client.address
    assert told["why"]
    assert entries(gateway, "served-well") == []
    assert CODE not in (gateway.folder / "state" / "envoy-gateway.log").read_text()


def test_a_client_that_went_away_is_told(client: Client, gateway: ServedGateway) -> None:
    with pytest.raises(httpx.ReadTimeout):
        client.get("/echo?held=1", headers={"X-Request-Id": "gone"}, timeout=0.5)
    (told,) = wait_for(lambda: entries(gateway, "gone"), seconds=10)
    assert (told["status"], told["flags"]) == (0, "DC")
