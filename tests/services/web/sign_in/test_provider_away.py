"""A provider that is away, slow, or says something that cannot be used."""

from __future__ import annotations

import json
import ssl
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from services.launch import free_ports
from services.web.settings import WebSettings
from services.web.sign_in import provider as provider_module
from services.web.sign_in import provider_http
from services.web.sign_in.authorisation import Authorisation
from services.web.sign_in.provider import MOST_KEYS, Provider
from services.web.sign_in.provider_http import ProviderFailed, ProviderHttp
from tests.services.web.sign_in.hostile_provider import (
    KEY,
    NEXT_KEY,
    HostileProvider,
    Reply,
    running_provider,
)
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


@pytest.mark.parametrize("names_itself", [True, False])
def test_a_provider_that_names_itself_in_every_answer_does_so_in_this_one(
    lone_provider: HostileProvider, names_itself: bool
) -> None:
    """RFC 9207, section 2.4: where discovery promises it, an answer without it is an attack."""
    promise = {"authorization_response_iss_parameter_supported": names_itself}
    content = json.dumps({**lone_provider.discovery(), **promise}).encode()
    lone_provider.instead[DISCOVERY] = Reply(content=content)
    settings = WebSettings(
        public_url="http://127.0.0.1:8080", sign_in_issuer=lone_provider.url,
        sign_in_client_id="page", sign_in_everyone=True,
    )  # fmt: skip
    asked = Authorisation(settings, ProviderHttp(), asking(lone_provider))
    assert asked.is_from_the_provider(None) is not names_itself
    assert asked.is_from_the_provider(lone_provider.url)
    assert not asked.is_from_the_provider("https://evil.example")


KEYS = [
    b"{}", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [1, null]}',
    b'{"keys": [{"kty": "oct", "k": "AAAA"}]}', b'{"keys": [{"kty": "RSA", "n": 1, "e": []}]}',
    b'{"keys": [{"kty": "EC", "crv": "x"}]}', b"\xff",
    json.dumps({"keys": [KEY.as_dict(private=False)] * (MOST_KEYS + 1)}).encode(),
    json.dumps({"keys": [{**KEY.as_dict(private=False), "use": "enc"}]}).encode(),
]  # fmt: skip


@pytest.mark.parametrize("content", KEYS)
def test_unusable_keys_are_a_failure(lone_provider: HostileProvider, content: bytes) -> None:
    lone_provider.instead["/keys"] = Reply(content=content)
    with pytest.raises(ProviderFailed):
        asking(lone_provider).keys()


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(delay_seconds=8.0), "timeout"),
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
    began = time.monotonic()
    with pytest.raises(ProviderFailed, match=reason):
        asking(lone_provider).metadata()
    assert time.monotonic() - began < 6, "who says nothing is not waited for"


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


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of 127.0.0.1, signed by nobody but itself; its key is in the same file."""
    path = tmp_path / "provider.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", path, "-out", path, "-days", "2", "-subj", "/CN=provider",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return path


def test_a_certificate_that_nobody_vouches_for_is_no_providers(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with running_provider(tls=tls) as provider:
        with pytest.raises(ProviderFailed, match="unreachable"):
            asking(provider).metadata()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert asking(provider).metadata().issuer == provider.url
        provider.url = provider.url.replace("127.0.0.1", "localhost")
        with pytest.raises(ProviderFailed, match="unreachable"):
            asking(provider).metadata()
        assert provider.asked == [DISCOVERY]


def test_what_the_provider_withdraws_is_forgotten_without_anybody_asking(
    lone_provider: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens of a stolen key fit the kept ones, and so never make anybody fetch newer ones."""
    provider = asking(lone_provider)
    before = lone_provider.discovery()
    assert [key.kid for key in provider.keys().keys] == ["one"]
    lone_provider.keys = [NEXT_KEY]
    moved = {**before, "end_session_endpoint": f"{lone_provider.url}/elsewhere"}
    lone_provider.instead[DISCOVERY] = Reply(content=json.dumps(moved).encode())
    assert [key.kid for key in provider.keys().keys] == ["one"]
    monkeypatch.setattr(provider_module, "KEEP_SECONDS", 0.0)
    assert [key.kid for key in provider.keys().keys] == ["two"]
    assert provider.metadata().end_session_endpoint == moved["end_session_endpoint"]


def test_a_provider_that_hangs_takes_a_few_threads_alone(lone_provider: HostileProvider) -> None:
    lone_provider.instead[DISCOVERY] = Reply(content=b"{}", delay_seconds=1.0)
    http, places = ProviderHttp(), provider_http.REQUESTS_AT_ONCE
    with ThreadPoolExecutor(places) as threads:
        hanging = [threads.submit(http.get, lone_provider.url + DISCOVERY) for _ in range(places)]
        until = time.monotonic() + 10
        while len(lone_provider.asked) < places and time.monotonic() < until:
            time.sleep(0.01)
        with pytest.raises(ProviderFailed, match="too many requests at once"):
            http.get(lone_provider.url + DISCOVERY)
        assert [each.result() for each in hanging] == [{}] * places
    assert http.get(lone_provider.url + "/keys")["keys"]


def test_no_proxy_of_the_environment_sees_what_is_said(
    lone_provider: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with running_provider() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert asking(lone_provider).metadata().issuer == lone_provider.url
        assert proxy.asked == []


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
        "--session-idle-minutes", "0.02", "--session-hours", "0.001", "--max-sessions", "1",
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
            ends_used_too(other)


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


def ends_used_too(visitor: Visitor) -> None:
    visitor.sign_in()
    until = time.monotonic() + 8
    while visitor.get("/api/session").status_code == 200:
        assert time.monotonic() < until, "a thousandth of an hour is over"
        time.sleep(0.3)


def _wait_for_sign_in(visitor: Visitor) -> None:
    until = time.monotonic() + 20
    while visitor.get("/auth/sign-in").status_code != 303:
        assert time.monotonic() < until
        time.sleep(0.2)
    assert visitor.sign_in().status_code == 303
