"""What a client meets at the gateway, with the real services behind it."""

from __future__ import annotations

import json
import string
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_sample_images

from tests.conftest import Server
from tests.gateway.backends import Services
from tests.gateway.clients import Client, fresh_address
from tests.gateway.conftest import HOST
from tests.gateway.echo import Echo
from tests.gateway.served import ServedGateway

CHINA = Path(load_sample_images().filenames[0])
QUESTION = "How do I remove an element from an array in JavaScript?"
LOG_SECONDS = 5

UNRESERVED = string.ascii_letters + string.digits + "-._~"
NEVER_ESCAPED = frozenset(f"{UNRESERVED}/\\\0".encode())
"""Escaped, the first mean the same as written out (RFC 3986, 2.3); the last three are refused."""
SAFE = st.sampled_from(UNRESERVED + "!$&'()*+,;=:@")
ESCAPED = st.sampled_from(sorted({*range(256)} - NEVER_ESCAPED)).map("%{:02X}".format)
SEGMENTS = st.lists(SAFE | ESCAPED, min_size=1, max_size=8).map("".join)
PATHS = (
    st.lists(SEGMENTS.filter(lambda each: each not in (".", "..")), max_size=4)
    .map("/".join)
    .map("/{}".format)
)
QUERIES = (
    st.lists(SAFE | ESCAPED | st.sampled_from("/?"), min_size=1).map("".join).map("?{}".format)
)


# The listener for plain HTTP


@pytest.mark.parametrize("path", ["/", "/faq/v1/match?top_k=5&x=a%20b", "/resnet/score", "/x/y/z"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_plain_http_is_sent_to_https_with_path_and_query(
    client: Client, method: str, path: str
) -> None:
    answer = client.request(method, path, tls=False)
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"https://{HOST}{path}"


@given(path=PATHS, query=st.just("") | QUERIES)
@settings(max_examples=50)
def test_every_path_and_query_is_kept_on_the_way_to_https(
    gateway: ServedGateway, path: str, query: str
) -> None:
    """Byte for byte, but for dots as whole segments and escapes that mean nothing."""
    with Client(gateway, fresh_address()).connect_plainly() as connection:
        connection.sendall(Client(gateway, "").head(path + query))
        answer = connection.recv(65_536).decode("latin-1")  # without a body, so it comes whole
    assert answer.startswith("HTTP/1.1 301")
    assert f"\r\nlocation: https://{HOST}{path}{query}\r\n" in answer


def test_another_host_is_404_over_plain_http_too(client: Client) -> None:
    """And no open redirect to wherever a request says."""
    answer = client.get("/", tls=False, host="other.example.org")
    assert answer.status_code == 404
    assert "Location" not in answer.headers


def test_an_acme_challenge_is_answered_over_plain_http(client: Client) -> None:
    """Its exact path goes before the redirect of all others, or no certificate ever came."""
    path = "/.well-known/acme-challenge/token"
    answer = client.get(path, tls=False)
    assert answer.status_code == 200
    assert answer.json()["path"] == path
    assert client.get(path + "x", tls=False).status_code == 301


# Where a path leads


def test_another_host_behind_the_right_name_is_404(client: Client) -> None:
    with client.session() as session:
        answer = session.get(
            "/", headers={"Host": "other.example.org"}, extensions={"sni_hostname": HOST}
        )
    assert answer.status_code == 404


def test_a_question_is_answered(client: Client, services: Services) -> None:
    answer = client.post(
        "/faq/v1/match",
        json={"question": QUESTION, "top_k": 3},
        headers={"X-API-Key": services.faq.key},
    )
    assert answer.status_code == 200
    assert len(answer.json()["matches"]) == 3


def test_a_picture_is_classified(client: Client, services: Services) -> None:
    answer = client.post(
        "/resnet/v1/classify?top_k=1",
        content=CHINA.read_bytes(),
        headers={"X-API-Key": services.resnet.key, "Content-Type": "image/jpeg"},
    )
    assert answer.status_code == 200
    (prediction,) = answer.json()["predictions"]
    assert prediction["label"] == "palace"


# Standard protocols

LENGTH = "Inference-Header-Content-Length"


def test_binary_tensors_pass_both_ways(client: Client, services: Services) -> None:
    """A picture's file behind the JSON, and probabilities behind that of the answer (Triton's
    extension of the Open Inference Protocol); where JSON ends, a header says.
    """
    picture = CHINA.read_bytes()
    element = len(picture).to_bytes(4, "little") + picture
    size = {"binary_data_size": len(element)}
    image = {"name": "image", "datatype": "BYTES", "shape": [1, 1], "parameters": size}
    wanted = {"name": "probabilities", "parameters": {"binary_data": True}}
    head = json.dumps({"id": "gateway", "inputs": [image], "outputs": [wanted]}).encode()
    answer = client.post(
        "/resnet/v2/models/resnet/infer",
        content=head + element,
        headers={
            "X-API-Key": services.resnet.key,
            "Content-Type": "application/octet-stream",
            LENGTH: str(len(head)),
        },
    )
    assert answer.status_code == 200
    told = json.loads(answer.content[: int(answer.headers[LENGTH])])
    assert told["id"] == "gateway"
    probabilities = np.frombuffer(answer.content[int(answer.headers[LENGTH]) :], "<f4")
    assert told["outputs"][0]["shape"] == [1, len(probabilities)]
    assert probabilities.sum() == pytest.approx(1, abs=1e-3)


def test_a_whole_file_as_the_body_is_one_row(client: Client, services: Services) -> None:
    best = client.post(
        "/resnet/v2/models/resnet/infer",
        content=CHINA.read_bytes(),
        headers={"X-API-Key": services.resnet.key, LENGTH: "0"},
    )
    assert best.status_code == 200


@pytest.mark.parametrize("service", ["faq", "resnet"])
@pytest.mark.parametrize(
    "path", ["v2", "v2/health/live", "v2/health/ready", "v2/models/{}", "v1/models", "v1/models/{}"]
)
def test_a_models_description_is_read_through_the_gateway(
    client: Client, services: Services, service: str, path: str
) -> None:
    key = {"X-API-Key": getattr(services, service).key}
    answer = client.get(f"/{service}/{path.format(service)}", headers=key)
    assert answer.status_code == 200


def test_a_colon_in_a_path_passes(client: Client, services: Services) -> None:
    answer = client.post(
        "/faq/v1/models/faq:predict",
        json={"instances": [QUESTION]},
        headers={"X-API-Key": services.faq.key},
    )
    assert answer.status_code == 200
    assert answer.json()["predictions"]


# The client application


def test_the_page_comes_with_what_it_needs(client: Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for path in ("/static/main.js", "/static/page.css", "/api/examples"):
        assert client.get(path).status_code == 200


def test_the_page_asks_and_classifies_without_a_key_of_the_browser(client: Client) -> None:
    own_page = {"Origin": f"https://{HOST}", "Sec-Fetch-Site": "same-origin"}
    asked = client.post("/api/ask", json={"question": QUESTION}, headers=own_page)
    assert asked.status_code == 200
    assert asked.json()["matches"]
    picture = {**own_page, "Content-Type": "image/jpeg"}
    classified = client.post("/api/classify", content=CHINA.read_bytes(), headers=picture)
    assert classified.status_code == 200
    assert classified.json()["predictions"][0]["label"] == "palace"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/faq/livez", 200), ("/faq/readyz", 200), ("/resnet/livez", 200), ("/faq/nothing", 404)],
)
def test_a_service_sees_its_path_without_the_prefix(client: Client, path: str, status: int) -> None:
    assert client.get(path).status_code == status


@pytest.mark.parametrize("path", ["/faqs", "/resnets/x", "/static/nothing.css?v=1"])
def test_all_other_paths_lead_to_the_web_application(
    client: Client, services: Services, path: str
) -> None:
    """Whole segments lead to a service, so that one whose name only begins alike does not."""
    answer = client.get(path)
    assert answer.status_code == 404
    assert logged(services.web, answer.headers["X-Request-Id"])["status"] == 404


@pytest.mark.parametrize("path", ["/faq/metrics", "/resnet/metrics", "/metrics"])
def test_no_path_leads_to_the_metrics(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "process_cpu" not in answer.text


@pytest.mark.parametrize("path", ["/echo%2Fmetrics", "/echo/..%2Fmetrics", "/echo/%5C../x"])
def test_escaped_slashes_are_refused(client: Client, echo: Echo, path: str) -> None:
    """One path must mean one thing to the gateway and to the service."""
    before = list(echo.seen)
    with client.connect() as connection:
        connection.sendall(client.head(path))
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
    assert echo.seen == before


@pytest.mark.parametrize("service", ["faq", "resnet"])
def test_without_a_key_the_service_says_401(
    client: Client, services: Services, service: str
) -> None:
    answer = client.post(f"/{service}/score", json={"input": "x"})
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "WWW-Authenticate" in answer.headers
    assert logged(getattr(services, service), answer.headers["X-Request-Id"])["status"] == 401


# Who asks

PATHS_OF = {"faq": "/faq/openapi.json", "resnet": "/resnet/openapi.json", "web": "/api/examples"}


@pytest.mark.parametrize("service", PATHS_OF)
def test_who_asked_reaches_every_services_log(
    client: Client, services: Services, service: str
) -> None:
    """The address that the gateway saw, whatever the client claims, and the request's id."""
    request_id = f"gateway-test-{service}"
    headers = {"X-Request-Id": request_id, "X-Forwarded-For": "203.0.113.5"}
    answer = client.get(PATHS_OF[service], headers=headers)
    assert answer.headers["X-Request-Id"] == request_id
    assert logged(getattr(services, service), request_id)["client"] == client.address


def test_a_request_without_id_gets_one(client: Client, services: Services) -> None:
    answer = client.get("/faq/openapi.json")
    assert logged(services.faq, answer.headers["X-Request-Id"])
    assert client.get("/echo").json()["headers"]["x-request-id"]


def test_the_pages_question_has_one_id_from_the_gateway_to_the_service(
    client: Client, services: Services
) -> None:
    answer = client.post("/api/ask", json={"question": QUESTION})
    request_id = answer.headers["X-Request-Id"]
    assert logged(services.web, request_id)["client"] == client.address
    assert logged(services.faq, request_id)["status"] == 200


def logged(server: Server, request_id: str) -> dict[str, Any]:
    """The line of the service's log about a request, for which it may take a moment."""
    until = time.monotonic() + LOG_SECONDS
    while time.monotonic() < until:
        for line in server.log.read_text().splitlines():
            entry = json.loads(line)
            if entry.get("request_id") == request_id:
                return entry
        time.sleep(0.1)
    pytest.fail(f"{request_id} is not in the log")


def test_the_clients_address_reaches_the_service_behind_what_it_claims(client: Client) -> None:
    """The last entry is the gateway's own; what comes before anybody can write."""
    headers = {"X-Forwarded-For": "203.0.113.5"}
    seen = client.get("/echo", headers=headers).json()["headers"]
    assert seen["x-forwarded-for"].replace(" ", "").split(",")[-1] == client.address
    assert seen["x-forwarded-proto"] == "https"


def test_headers_with_underscores_are_dropped(client: Client) -> None:
    """WSGI takes `x_api_key` and `x-api-key` for one."""
    seen = client.get("/echo", headers={"x_api_key": "forged", "x-kept": "1"}).json()["headers"]
    assert "x-kept" in seen
    assert "x_api_key" not in seen
