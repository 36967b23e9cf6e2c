"""What a client meets at the gateway, with the real services behind it."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator

import httpx
import pytest
from sklearn.datasets import load_sample_images

from tests.conftest import Server
from tests.gateway.clients import Client, fresh_address
from tests.gateway.conftest import HOST, Serve
from tests.gateway.echo import Echo
from tests.gateway.served import ServedGateway, solver_route

MEBIBYTE = 2**20
PER_MINUTE = 40
TIMEOUT_SECONDS = 4
HEADERS_SECONDS = 10
STRANGER = "127.9.0.1"
"""Outside the allowed networks."""


@pytest.fixture(scope="module")
def gateway(
    serve: Serve, echo: Echo, faq_server: Server, resnet_server: Server
) -> Iterator[ServedGateway]:
    """With the real services at their paths, and in the web application's place an echo."""
    settings = {
        "gateway": {
            "requests_per_minute": PER_MINUTE,
            "max_body_mib": 1,
            "request_timeout_seconds": TIMEOUT_SECONDS,
            "allowed_networks": ["127.0.0.0/16"],
        },
        "faq": {"deadline_ms": 3000},
        "resnet": {"deadline_ms": 3000},
        "web": {"enabled": True, "api_key": "a-key-of-the-web-application"},
    }
    backends = {
        "faq": [port_of(faq_server)], "resnet": [port_of(resnet_server)], "web": [echo.port]
    }  # fmt: skip
    solver = solver_route(HOST, "token", "web")
    with serve(settings, backends, further=[solver]) as gateway:
        yield gateway


def port_of(server: Server) -> int:
    return int(server.url.rsplit(":", 1)[1])


# The listener for plain HTTP


@pytest.mark.parametrize("path", ["/", "/faq/v1/match?top_k=5&x=a%20b", "/resnet/score", "/x/y/z"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_plain_http_is_sent_to_https_with_path_and_query(
    client: Client, method: str, path: str
) -> None:
    answer = client.request(method, path, tls=False)
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"https://{HOST}{path}"


def test_an_acme_challenge_is_answered_over_plain_http(client: Client) -> None:
    """Its exact path goes before the redirect of all others, or no certificate ever came."""
    path = "/.well-known/acme-challenge/token"
    answer = client.get(path, tls=False)
    assert answer.status_code == 200
    assert answer.json()["path"] == path
    assert client.get(path + "x", tls=False).status_code == 301


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
    with (
        socket.create_connection(("127.0.0.1", client.gateway.https_port)) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        client.trust().wrap_socket(plain, server_hostname="other.example.org")


def test_another_host_behind_the_right_name_is_404(client: Client) -> None:
    with client.session() as session:
        answer = session.get(
            "/", headers={"Host": "other.example.org"}, extensions={"sni_hostname": HOST}
        )
    assert answer.status_code == 404


def test_every_answer_keeps_browsers_on_https(client: Client) -> None:
    for path in ("/", "/faq/livez", "/faq/nothing-here", "/?status=503"):
        assert client.get(path).headers["Strict-Transport-Security"] == "max-age=31536000"


def test_http_2_is_spoken(client: Client) -> None:
    context = client.trust()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with client.connect(context) as connection:
        assert connection.selected_alpn_protocol() == "h2"
    features = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=False)
    if "HTTP2" not in features.stdout:
        pytest.skip("curl is not here, or does not speak HTTP/2")
    port = client.gateway.https_port
    done = subprocess.run(
        ["curl", "--silent", "--http2", "--max-time", "20", "--write-out", " %{http_version}",
         "--cacert", client.gateway.certificate.certificate, "--resolve", f"{HOST}:{port}:127.0.0.1",
         "--interface", client.address, f"https://{HOST}:{port}/faq/livez"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.endswith(" 2")


# Where a path leads


def test_a_question_is_answered(client: Client, faq_server: Server) -> None:
    answer = client.post(
        "/faq/v1/match",
        json={"question": "How do I remove an element from an array in JavaScript?", "top_k": 3},
        headers={"X-API-Key": faq_server.key},
    )
    assert answer.status_code == 200
    assert len(answer.json()["matches"]) == 3


def test_a_picture_is_classified(
    client: Client, resnet_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    china = load_sample_images().filenames[0]
    with open(china, "rb") as picture:
        answer = client.post(
            "/resnet/v1/classify?top_k=1",
            content=picture.read(),
            headers={"X-API-Key": resnet_server.key, "Content-Type": "image/jpeg"},
        )
    assert answer.status_code == 200
    assert len(answer.json()["predictions"]) == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [("/faq/livez", 200), ("/faq/readyz", 200), ("/resnet/livez", 200), ("/faq/nothing", 404)],
)
def test_a_service_sees_its_path_without_the_prefix(client: Client, path: str, status: int) -> None:
    assert client.get(path).status_code == status


@pytest.mark.parametrize("path", ["/", "/faqs", "/resnets/x", "/static/a.css?v=1"])
def test_all_other_paths_lead_to_the_web_application_as_they_are(client: Client, path: str) -> None:
    assert client.get(path).json()["path"] == path


@pytest.mark.parametrize("path", ["/faq/metrics", "/resnet/metrics"])
def test_no_path_leads_to_the_metrics(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "process_cpu" not in answer.text


@pytest.mark.parametrize("path", ["/faq%2Fmetrics", "/faq%2F..%2Fmetrics", "/faq/%5C../x"])
def test_escaped_slashes_are_refused(client: Client, echo: Echo, path: str) -> None:
    """One path must mean one thing to the gateway and to the service."""
    before = list(echo.seen)
    with client.connect() as connection:
        connection.sendall(client.head(path))
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
    assert echo.seen == before


@pytest.mark.parametrize("service", ["faq", "resnet"])
def test_without_a_key_the_service_says_401(client: Client, service: str) -> None:
    answer = client.post(f"/{service}/score", json={"input": "x"})
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "WWW-Authenticate" in answer.headers


# Who asks


def test_the_request_id_reaches_the_services_log(client: Client, faq_server: Server) -> None:
    answer = client.post(
        "/faq/v1/match", json={"question": "x"}, headers={"X-Request-Id": "gateway-test-0001"}
    )
    assert answer.headers["X-Request-Id"] == "gateway-test-0001"
    assert '"gateway-test-0001"' in logged(faq_server, "gateway-test-0001")


def test_the_clients_address_reaches_the_services_log(client: Client, faq_server: Server) -> None:
    """The one that the gateway saw, whatever the client claims."""
    headers = {"X-Request-Id": "gateway-test-0002", "X-Forwarded-For": "203.0.113.5"}
    client.post("/faq/v1/match", json={"question": "x"}, headers=headers)
    assert json.loads(logged(faq_server, "gateway-test-0002"))["client"] == client.address


def test_a_request_without_id_gets_one(client: Client, faq_server: Server) -> None:
    answer = client.post("/faq/v1/match", json={"question": "x"})
    assert logged(faq_server, answer.headers["X-Request-Id"])
    assert client.get("/").json()["headers"]["x-request-id"]


def logged(server: Server, text: str) -> str:
    """The line of the service's log with this text, for which it may take a moment."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        for line in server.log.read_text().splitlines():
            if text in line:
                return line
        time.sleep(0.1)
    pytest.fail(f"{text} is not in the log")


def test_the_clients_address_reaches_the_service_behind_what_it_claims(client: Client) -> None:
    """The last entry is the gateway's own; what comes before anybody can write."""
    headers = {"X-Forwarded-For": "203.0.113.5"}
    seen = client.get("/", headers=headers).json()["headers"]
    assert seen["x-forwarded-for"].replace(" ", "").split(",")[-1] == client.address
    assert seen["x-forwarded-proto"] == "https"


def test_headers_with_underscores_are_dropped(client: Client) -> None:
    """WSGI takes `x_api_key` and `x-api-key` for one."""
    seen = client.get("/", headers={"x_api_key": "forged", "x-kept": "1"}).json()["headers"]
    assert "x-kept" in seen
    assert "x_api_key" not in seen


def test_addresses_outside_the_allowed_networks_are_refused(
    gateway: ServedGateway, echo: Echo
) -> None:
    stranger = Client(gateway, STRANGER)
    before = list(echo.seen)
    for headers in ({}, {"X-Forwarded-For": "127.0.0.1"}):
        answer = stranger.get("/", headers=headers)
        assert answer.status_code == 403
        assert_problem(answer.text, 403)
    assert echo.seen == before
    assert stranger.get("/", tls=False).status_code == 301


# Limits


def assert_problem(text: str, status: int) -> None:
    """RFC 9457, as the services themselves answer."""
    problem = json.loads(text)
    assert problem["status"] == status
    assert problem["error"] == problem["detail"]


def test_each_client_has_its_rate_on_each_route(gateway: ServedGateway) -> None:
    """Tokens come back one by one, 40 a minute, so that a slow machine gets one or two more."""
    greedy, other = (Client(gateway, fresh_address()) for _ in range(2))
    begun = time.monotonic()
    taken = 0
    while greedy.get("/").status_code == 200:
        taken += 1
    more = (time.monotonic() - begun) * PER_MINUTE / 60
    assert PER_MINUTE <= taken <= PER_MINUTE + more + 1
    refused = first_refusal(greedy)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "60"
    assert_problem(refused.text, 429)
    assert greedy.get("/faq/livez").status_code == 200
    assert other.get("/").status_code == 200


def first_refusal(greedy: Client) -> httpx.Response:
    """Whatever it says of where it comes from."""
    for _ in range(3):
        answer = greedy.get("/", headers={"X-Forwarded-For": "203.0.113.77"})
        if answer.status_code != 200:
            return answer
    pytest.fail("the limit is evaded")


def test_a_body_within_the_limit_passes(client: Client) -> None:
    assert client.post("/", content=b"x" * (MEBIBYTE - 1)).json()["bytes"] == MEBIBYTE - 1


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused_before_the_service(
    client: Client, echo: Echo, chunked: bool
) -> None:
    before = list(echo.seen)
    content = [b"x" * 65_536] * 32
    answer = client.post("/", content=iter(content) if chunked else b"".join(content))
    assert answer.status_code == 413
    assert_problem(answer.text, 413)
    assert echo.seen == before


def test_a_service_that_takes_too_long_is_not_waited_for(client: Client) -> None:
    begun = time.monotonic()
    answer = client.get("/?wait=20")
    assert TIMEOUT_SECONDS - 1 < time.monotonic() - begun < TIMEOUT_SECONDS + 6
    assert answer.status_code == 504
    assert_problem(answer.text, 504)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_service_at_capacity_is_asked_once_and_its_answer_stays(
    client: Client, echo: Echo, method: str
) -> None:
    """What is tried again adds to the load of a service that has just said it is full."""
    path = f"/full-{method}?status=503"
    answer = client.request(method, path)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "7"
    assert answer.json()["path"] == path
    assert echo.seen.count(path) == 1


# Slow clients


def test_a_slow_body_is_cut(client: Client, echo: Echo) -> None:
    before = list(echo.seen)
    begun = time.monotonic()
    with client.connect() as connection:
        connection.sendall(client.head("/", "Content-Length: 1000", method="POST") + b"x" * 10)
        connection.settimeout(TIMEOUT_SECONDS + 10)
        ended = connection.recv(1000)
    assert TIMEOUT_SECONDS - 2 < time.monotonic() - begun < TIMEOUT_SECONDS + 8
    assert not ended or ended.startswith((b"HTTP/1.1 408", b"HTTP/1.1 504"))
    assert echo.seen == before


def test_a_client_that_never_begins_the_handshake_is_cut(client: Client) -> None:
    """After Envoy's own 15 seconds: the limit of handshakes counts from the first bytes only."""
    begun = time.monotonic()
    address = ("127.0.0.1", client.gateway.https_port)
    with socket.create_connection(address, timeout=30) as silent:
        assert silent.recv(1) == b""
    assert time.monotonic() - begun < 20


def test_an_idle_connection_outlives_every_limit_of_requests(client: Client) -> None:
    """Ten seconds for headers and four for a request say nothing of the time between two."""
    with client.connect() as connection:
        for pause in (0, HEADERS_SECONDS + 2):
            time.sleep(pause)
            connection.sendall(client.head("/"))
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
