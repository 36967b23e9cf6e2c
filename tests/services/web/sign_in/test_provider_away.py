"""A provider that is away, slow, or says something that cannot be used."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.launch import free_ports
from services.web.sign_in import provider as provider_module
from services.web.sign_in import provider_http
from services.web.sign_in.provider import Provider
from services.web.sign_in.provider_http import ProviderFailed, ProviderHttp
from tests.services.web.sign_in.hostile_provider import HostileProvider, Reply, running_provider
from tests.services.web.sign_in.visitor import Visitor, running_page

DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
def lone_provider() -> Iterator[HostileProvider]:
    with running_provider() as provider:
        yield provider


def asking(provider: HostileProvider) -> Provider:
    return Provider(provider.url, ProviderHttp(), key_refresh_seconds=1)


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "http://provider.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "file:///etc/passwd"},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
    ],
)
def test_unusable_discovery_is_a_failure(
    lone_provider: HostileProvider, change: dict[str, Any]
) -> None:
    content = json.dumps({**lone_provider.discovery(), **change}).encode()
    lone_provider.instead[DISCOVERY] = Reply(content=content)
    with pytest.raises(ProviderFailed):
        asking(lone_provider).metadata()


KEYS = [
    b"{}", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [1, null]}',
    b'{"keys": [{"kty": "oct", "k": "AAAA"}]}', b'{"keys": [{"kty": "RSA", "n": 1, "e": []}]}',
    b'{"keys": [{"kty": "EC", "crv": "x"}]}', json.dumps({"keys": [{}] * 65}).encode(), b"\xff",
]  # fmt: skip


@pytest.mark.parametrize("content", KEYS)
def test_unusable_keys_are_a_failure(lone_provider: HostileProvider, content: bytes) -> None:
    lone_provider.instead["/keys"] = Reply(content=content)
    with pytest.raises(ProviderFailed):
        asking(lone_provider).keys()


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(delay_seconds=1.0), "timeout"),
        (Reply(content=b"{}" + b" " * 40, trickle_seconds=0.05), "timeout"),
        (Reply(content=b" " * (provider_http.MOST_BYTES + 1)), "answer too large"),
        (Reply(301, headers={"Location": "/elsewhere"}), "status 301"),
        (Reply(content=b"<html>"), "broken answer"),
    ],
)
def test_an_answer_has_bounds(
    lone_provider: HostileProvider, monkeypatch: pytest.MonkeyPatch, reply: Reply, reason: str
) -> None:
    monkeypatch.setattr(provider_http, "TOTAL_SECONDS", 0.4)
    lone_provider.instead[DISCOVERY] = reply
    with pytest.raises(ProviderFailed, match=reason):
        asking(lone_provider).metadata()


def test_after_a_failure_nobody_asks_for_a_moment(
    lone_provider: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    lone_provider.instead[DISCOVERY] = Reply(500)
    provider = asking(lone_provider)
    for _ in range(3):
        with pytest.raises(ProviderFailed, match="status 500"):
            provider.metadata()
    assert lone_provider.asked == [DISCOVERY]
    lone_provider.instead.clear()
    monkeypatch.setattr(provider_module, "FAILED_SECONDS", 0.0)
    assert provider.metadata().token_endpoint


@pytest.mark.slow
def test_the_page_starts_without_its_provider_and_signs_in_once_it_is_there(
    tmp_path: Path,
) -> None:
    (port,) = free_ports(1)
    issuer = f"http://127.0.0.1:{port}"
    assertion = tmp_path / "assertion"
    assertion.write_text("first.service-account.token")
    options = (
        "--sign-in-everyone", "--sign-in-client-assertion-file", assertion,
        "--session-idle-minutes", "0.02", "--max-sessions", "1",
    )  # fmt: skip
    with running_page(issuer, *options, log_folder=tmp_path) as page:
        visitor = Visitor(page.url, HostileProvider(issuer))
        away = visitor.get("/auth/sign-in")
        assert (away.status_code, "Nobody can sign in just now" in away.text) == (503, True)
        assert "Traceback" not in page.log.read_text() + away.text
        with running_provider(port) as provider:
            visitor.provider = provider
            _wait_for_sign_in(visitor)
            replaces_the_secret(visitor, provider, assertion)
            other = Visitor(page.url, provider)
            other.sign_in()
            assert visitor.get("/api/session").status_code == 401, "one session alone is kept"
            ends_unused(other)


def replaces_the_secret(visitor: Visitor, provider: HostileProvider, assertion: Path) -> None:
    """Workload identity federation: a token instead of a secret, which is replaced by the hour."""
    assert provider.forms[-1]["client_assertion"] == "first.service-account.token"
    assert provider.forms[-1]["client_assertion_type"].endswith(":jwt-bearer")
    assert provider.forms[-1]["client_id"] == "page"
    assert "client_secret" not in provider.forms[-1]
    assertion.write_text("second.service-account.token")
    visitor.sign_in()
    assert provider.forms[-1]["client_assertion"] == "second.service-account.token"
    assertion.unlink()
    assert visitor.sign_in().status_code == 502
    assertion.write_text("third.service-account.token")
    visitor.sign_in()


def ends_unused(visitor: Visitor) -> None:
    for _ in range(3):
        time.sleep(0.6)
        assert visitor.get("/api/session").status_code == 200, "use keeps it"
    time.sleep(1.4)
    assert visitor.get("/api/session").status_code == 401


def _wait_for_sign_in(visitor: Visitor) -> None:
    until = time.monotonic() + 20
    while visitor.get("/auth/sign-in").status_code != 303:
        assert time.monotonic() < until
        time.sleep(0.2)
    assert visitor.sign_in().status_code == 303
