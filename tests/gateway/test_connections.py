"""Connections to the gateway: TLS, HTTP/2, and clients that take their time."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest

from tests.gateway.backends import Services
from tests.gateway.clients import Client, fresh_address
from tests.gateway.conftest import HOST, Serve
from tests.gateway.echo import Echo
from tests.gateway.served import ServedGateway, route
from tests.gateway.slow_clients import (
    CLIENTS,
    SLOW,
    Ended,
    drips_its_body,
    drips_its_body_in_http_2,
    drips_its_headers,
    never_begins_the_handshake,
    stops_in_its_body,
)

HEADERS_SECONDS = 10
HANDSHAKE_SECONDS = 15
TIMEOUT_SECONDS = 20
"""Of a whole request, and so longer than the other two."""
LATE_SECONDS = 6
IDLE_SECONDS = 30
"""Longer than every limit above, with what may come late."""
AT_ONCE = 20
Clients = dict[Callable[[Client], Ended], Future[Ended]]


@pytest.fixture(scope="module")
def gateway(serve: Serve, services: Services, echo: Echo) -> Iterator[ServedGateway]:
    settings = {
        "gateway": {"request_timeout_seconds": TIMEOUT_SECONDS},
        "web": {
            "enabled": True,
            "api_key": "a-key-of-the-web-application",
            "sign_in": {"client_id": "page", "everyone": True},
        },
    }
    backends = {**services.ports(), "echo": [echo.port]}
    with serve(settings, backends, further=[route("/echo", HOST, "echo")]) as gateway:
        yield gateway


@pytest.fixture(scope="module", autouse=True)
def slow(gateway: ServedGateway) -> Iterator[Clients]:
    """Every slow client, at work from the first test on."""
    with ThreadPoolExecutor(len(CLIENTS)) as threads:
        yield {each: threads.submit(each, Client(gateway, fresh_address())) for each in CLIENTS}


@dataclass(frozen=True)
class IdleConnection:
    """One that is used before the first test, and again after the last.

    Attributes:
        session: the client, with one connection.
        since: when it was used, on the monotonic clock.
        place: this side's address, which tells whether it is the same one later.
    """

    session: httpx.Client
    since: float
    place: tuple[str, int]


@pytest.fixture(scope="module", autouse=True)
def idle(gateway: ServedGateway) -> Iterator[IdleConnection]:
    with Client(gateway, fresh_address()).session() as session:
        yield IdleConnection(session, time.monotonic(), read_page(session))


def read_page(session: httpx.Client) -> tuple[str, int]:
    """Ask the question service for something; this side's address."""
    answer = session.get(
        "/faq/openapi.json", headers={"Host": HOST}, extensions={"sni_hostname": HOST}
    )
    assert answer.status_code == 200
    return answer.extensions["network_stream"].get_extra_info("client_addr")


# TLS


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_these_versions_of_tls_are_spoken(client: Client, version: ssl.TLSVersion) -> None:
    context = client.trust()
    context.minimum_version = context.maximum_version = version
    with client.connect(context) as connection:
        assert connection.version() == version.name.replace("_", ".")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_older_versions_are_refused(client: Client, version: ssl.TLSVersion) -> None:
    context = client.trust()
    context.set_ciphers("ALL:@SECLEVEL=0")  # or this side would refuse them itself
    context.minimum_version = context.maximum_version = version
    with pytest.raises(ssl.SSLError, match=r"(?i)alert protocol version|unsupported protocol"):
        client.connect(context)


def test_ciphers_without_authenticated_encryption_are_refused(client: Client) -> None:
    context = client.trust()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA")
    with pytest.raises(ssl.SSLError, match=r"(?i)handshake failure"):
        client.connect(context)


def test_the_certificate_is_the_secrets(client: Client) -> None:
    with client.connect() as connection:
        shown = connection.getpeercert(binary_form=True)
    assert shown == ssl.PEM_cert_to_DER_cert(client.gateway.certificate.certificate.read_text())


def test_another_name_gets_no_tls(client: Client) -> None:
    """The proxy refuses: it is not the client that finds another name in the certificate."""
    accepting = client.trust()
    accepting.check_hostname = False
    with (
        socket.create_connection(("127.0.0.1", client.gateway.https_port)) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        accepting.wrap_socket(plain, server_hostname="other.example.org")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/faq/livez", 200), ("/faq/nothing", 404), ("/echo?status=503", 503)],
)
def test_every_answer_keeps_browsers_on_https(client: Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


# HTTP/2


@pytest.mark.parametrize(("offered", "taken"), [("h2", "h2"), ("http/1.1", "http/1.1")])
def test_the_client_chooses_the_version_of_http(client: Client, offered: str, taken: str) -> None:
    context = client.trust()
    context.set_alpn_protocols([offered])
    with client.connect(context) as connection:
        assert connection.selected_alpn_protocol() == taken


def test_many_requests_share_one_connection_in_http_2(client: Client, services: Services) -> None:
    async def ask(session: httpx.AsyncClient) -> tuple[str, int, object]:
        answer = await session.post(
            "/faq/v1/match",
            json={"question": "How do I sort an array of objects?"},
            headers={"Host": HOST, "X-API-Key": services.faq.key},
            extensions={"sni_hostname": HOST},
        )
        stream = answer.extensions["network_stream"]
        return answer.http_version, answer.status_code, stream.get_extra_info("client_addr")

    async def ask_all_at_once() -> set[tuple[str, int, object]]:
        async with client.http_2_session() as session:
            return set(await asyncio.gather(*(ask(session) for _ in range(AT_ONCE))))

    ((version, status, _),) = asyncio.run(ask_all_at_once())
    assert (version, status) == ("HTTP/2", 200)


# Slow clients


def test_slow_headers_are_cut_long_before_the_request_must_be_whole(slow: Clients) -> None:
    ended = slow[drips_its_headers].result()
    assert HEADERS_SECONDS - 2 < ended.seconds < HEADERS_SECONDS + LATE_SECONDS
    assert not ended.answer or ended.answer.startswith(b"HTTP/1.1 408")


def test_a_client_that_never_begins_the_handshake_is_cut(slow: Clients) -> None:
    """After Envoy's own 15 seconds: the limit of handshakes counts from the first bytes only."""
    ended = slow[never_begins_the_handshake].result()
    assert ended.answer == b""
    assert ended.seconds < HANDSHAKE_SECONDS + LATE_SECONDS


@pytest.mark.parametrize("who", [stops_in_its_body, drips_its_body], ids=["stop", "byte for byte"])
def test_a_slow_body_is_cut(slow: Clients, who: Callable[[Client], Ended]) -> None:
    ended = slow[who].result()
    assert TIMEOUT_SECONDS - 2 < ended.seconds < TIMEOUT_SECONDS + LATE_SECONDS
    assert not ended.answer or ended.answer.startswith((b"HTTP/1.1 408", b"HTTP/1.1 504"))


def test_a_slow_body_in_http_2_is_cut(slow: Clients) -> None:
    ended = slow[drips_its_body_in_http_2].result()
    assert TIMEOUT_SECONDS - 2 < ended.seconds < TIMEOUT_SECONDS + LATE_SECONDS
    assert ended.answer in (b"", b"408", b"504")


def test_nothing_of_a_slow_request_reached_the_service(slow: Clients, echo: Echo) -> None:
    """Bodies wait at the gateway until they are whole."""
    for each in slow.values():
        each.result()
    assert SLOW not in echo.seen


def test_an_idle_connection_outlives_every_limit_of_requests(idle: IdleConnection) -> None:
    """The limits of headers, handshakes and requests say nothing of the time between two requests:
    after them all this connection, and the gateway's to the service, are as good as new. Runs last,
    while most of the time has passed.
    """
    time.sleep(max(0.0, idle.since + IDLE_SECONDS - time.monotonic()))
    assert read_page(idle.session) == idle.place
