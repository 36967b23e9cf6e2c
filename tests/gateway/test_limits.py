"""What a client may ask for, and how much of it."""

from __future__ import annotations

import json
import time

import httpx
import pytest

from tests.gateway.backends import MEBIBYTE
from tests.gateway.clients import Client, fresh_address
from tests.gateway.conftest import PER_MINUTE, TIMEOUT_SECONDS
from tests.gateway.echo import Echo
from tests.gateway.served import ServedGateway

STRANGER = "127.9.0.1"
"""Outside the allowed networks."""


def assert_problem(text: str, status: int) -> None:
    """RFC 9457, as the services themselves answer."""
    problem = json.loads(text)
    assert problem["status"] == status
    assert problem["error"] == problem["detail"]


def test_addresses_outside_the_allowed_networks_are_refused(
    gateway: ServedGateway, echo: Echo
) -> None:
    stranger = Client(gateway, STRANGER)
    before = list(echo.seen)
    for headers in ({}, {"X-Forwarded-For": "127.0.0.1"}):
        answer = stranger.get("/echo", headers=headers)
        assert answer.status_code == 403
        assert_problem(answer.text, 403)
    assert echo.seen == before
    assert stranger.get("/echo", tls=False).status_code == 301


def test_each_client_has_its_rate_on_each_route(gateway: ServedGateway) -> None:
    """Tokens come back one by one, 40 a minute, so that a slow machine gets one or two more."""
    greedy, other = (Client(gateway, fresh_address()) for _ in range(2))
    begun = time.monotonic()
    taken = 0
    while greedy.get("/echo").status_code == 200:
        taken += 1
    more = (time.monotonic() - begun) * PER_MINUTE / 60
    assert PER_MINUTE <= taken <= PER_MINUTE + more + 1
    refused = first_refusal(greedy)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "60"
    assert_problem(refused.text, 429)
    assert greedy.get("/faq/livez").status_code == 200
    assert other.get("/echo").status_code == 200


def first_refusal(greedy: Client) -> httpx.Response:
    """Whatever it says of where it comes from."""
    for _ in range(3):
        answer = greedy.get("/echo", headers={"X-Forwarded-For": "203.0.113.77"})
        if answer.status_code != 200:
            return answer
    pytest.fail("the limit is evaded")


def test_a_body_within_the_limit_passes(client: Client) -> None:
    assert client.post("/echo", content=b"x" * (MEBIBYTE - 1)).json()["bytes"] == MEBIBYTE - 1


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused_before_the_service(
    client: Client, echo: Echo, chunked: bool
) -> None:
    before = list(echo.seen)
    content = [b"x" * 65_536] * 32
    answer = client.post("/echo", content=iter(content) if chunked else b"".join(content))
    assert answer.status_code == 413
    assert_problem(answer.text, 413)
    assert echo.seen == before


def test_a_body_over_the_limit_is_refused_long_before_its_end(client: Client) -> None:
    """Of a gibibyte no more is taken than what shows that it is too much."""
    with client.connect() as connection:
        length = f"Content-Length: {1024 * MEBIBYTE}"
        connection.sendall(client.head("/faq/v1/match", length, method="POST"))
        connection.sendall(b"x" * (MEBIBYTE + 65_536))
        connection.settimeout(TIMEOUT_SECONDS - 1)  # or it was cut for taking too long
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")


def test_a_service_that_takes_too_long_is_not_waited_for(client: Client) -> None:
    begun = time.monotonic()
    answer = client.get("/echo?wait=20")
    assert TIMEOUT_SECONDS - 1 < time.monotonic() - begun < TIMEOUT_SECONDS + 6
    assert answer.status_code == 504
    assert_problem(answer.text, 504)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_service_at_capacity_is_asked_once_and_its_answer_stays(
    client: Client, echo: Echo, method: str
) -> None:
    """What is tried again adds to the load of a service that has just said it is full."""
    path = f"/echo/full-{method}?status=503"
    answer = client.request(method, path)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "7"
    assert answer.json()["path"] == path
    assert echo.seen.count(path) == 1
