"""What both services promise over HTTP, whatever is sent to them; their logs are read at the end."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from services.launch import ROOT, running
from services.serving.api_keys import ApiKey, KeyFile, key_hash, new_key, write_key_file
from tests.conftest import Server

HOOKS = "tests.services.schemathesis_hooks"
MARKER = "zebracrossing"
"""In the question and in the picture that are scored, in a path and in a document that does not
fit; whatever else these tests send has no text of a user. It must never be found in a log."""

IMAGE_DESCRIPTION = 0x010E
"""A tag of EXIF."""

pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


@dataclass(frozen=True)
class Service:
    """A service, the path that scores, and a request that it answers."""

    name: str
    server: Server
    path: str
    content_type: str
    good: bytes

    def post(self, body: bytes, **headers: str) -> httpx.Response:
        given = {"Content-Type": self.content_type, "X-API-Key": self.server.key}
        chosen = given | {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(httpx.Client(timeout=30)) as client:
            return client.post(self.server.url + self.path, content=body, headers=chosen)


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    stream, exif = io.BytesIO(), Image.Exif()
    exif[IMAGE_DESCRIPTION] = MARKER
    picture = Image.new("RGB", (320, 240), (200, 120, 40))
    picture.save(stream, "JPEG", comment=MARKER, exif=exif)
    assert stream.getvalue().count(MARKER.encode()) == 2
    return stream.getvalue()


@pytest.fixture(params=["faq", "resnet"])
def service(request: pytest.FixtureRequest, jpeg: bytes) -> Service:
    server: Server = request.getfixturevalue(f"{request.param}_server")
    if request.param == "faq":
        body = json.dumps({"question": f"{MARKER}: how do I sort numbers?"}).encode()
        return Service("faq", server, "/v1/match", "application/json", body)
    return Service("resnet", server, "/v1/classify", "image/jpeg", jpeg)


@pytest.fixture(autouse=True)
def clean_log(service: Service) -> Iterator[None]:
    """After each test: the log is JSON lines that hold no text, no key and no stack trace."""
    yield
    log = service.server.log.read_text()
    assert MARKER not in log
    assert service.server.key not in log
    assert "Traceback" not in log
    for line in log.splitlines():
        json.loads(line)


def assert_problem(response: httpx.Response, status: int) -> dict[str, Any]:
    problem = response.json()
    assert response.status_code == status, problem
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["error"] == problem["detail"]
    assert MARKER not in response.text
    assert "Traceback" not in response.text
    assert "<html" not in response.text.lower()
    return problem


def test_a_good_request_is_answered_with_its_id_and_its_timing(service: Service) -> None:
    response = service.post(service.good, X_Request_Id="my-request-1")
    assert response.status_code == 200, response.text
    assert response.headers["X-Request-Id"] == "my-request-1"
    assert "model;dur=" in response.headers["Server-Timing"]


@pytest.mark.parametrize(
    ("header", "status"),
    [({}, 401), ({"X-API-Key": "wrong"}, 401), ({"Authorization": "Bearer wrong"}, 401)],
)
def test_without_a_valid_key_nothing_is_scored(
    service: Service, header: dict[str, str], status: int
) -> None:
    headers = {"Content-Type": service.content_type, **header}
    response = httpx.post(service.server.url + service.path, content=service.good, headers=headers)
    assert_problem(response, status)


def test_the_key_is_also_taken_as_a_bearer_token(service: Service) -> None:
    response = httpx.post(
        service.server.url + service.path,
        content=service.good,
        headers={
            "Content-Type": service.content_type,
            "Authorization": f"Bearer {service.server.key}",
        },
        timeout=30,
    )
    assert response.status_code == 200


def test_the_key_of_the_other_service_is_forbidden(
    service: Service, tmp_path: Path, faq_model: Path, resnet_model: Path
) -> None:
    keys = {"faq": new_key(), "resnet": new_key()}
    entries = [
        ApiKey(name=name, sha256=key_hash(key), scopes=frozenset({name}))
        for name, key in keys.items()
    ]
    write_key_file(tmp_path / "keys.json", KeyFile(keys=tuple(entries)))
    model = {"faq": faq_model, "resnet": resnet_model}[service.name]
    options = ("--model", model, "--keys", tmp_path / "keys.json")
    with running(f"services.{service.name}", *options, log_folder=tmp_path) as live:
        answers = {
            name: httpx.post(
                live.url + service.path,
                content=service.good,
                headers={"Content-Type": service.content_type, "X-API-Key": key},
                timeout=30,
            )
            for name, key in keys.items()
        }
    assert answers.pop(service.name).status_code == 200
    (crossed,) = answers.values()
    assert_problem(crossed, 403)


@pytest.mark.parametrize("path", ["/v1", "/v1/unknown", f"/{MARKER}", "/score/"])
def test_an_unknown_path_is_a_problem(service: Service, path: str) -> None:
    assert_problem(httpx.get(service.server.url + path), 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_an_unknown_method_is_a_problem_that_names_the_known_one(
    service: Service, method: str
) -> None:
    response = httpx.request(method, service.server.url + service.path)
    assert_problem(response, 405)
    assert response.headers["Allow"] == "POST"


def test_a_body_over_the_limit_is_refused(service: Service) -> None:
    assert_problem(service.post(b"x" * (9 << 20)), 413)


def test_a_gzip_bomb_is_refused(service: Service) -> None:
    bomb = gzip.compress(bytes(64 << 20))
    assert_problem(service.post(bomb, Content_Encoding="gzip"), 413)


def test_a_compressed_request_is_answered(service: Service) -> None:
    response = service.post(gzip.compress(service.good), Content_Encoding="gzip")
    assert response.status_code == 200, response.text


def test_a_corrupt_compressed_body_is_refused(service: Service) -> None:
    assert_problem(service.post(service.good, Content_Encoding="gzip"), 400)


@pytest.mark.parametrize("content_type", ["text/html", "application/xml", "video/mp4"])
def test_another_media_type_is_refused(service: Service, content_type: str) -> None:
    assert_problem(service.post(service.good, Content_Type=content_type), 415)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"text"',
        b"[" * 5000,
        b'{"input": NaN}',
        b'{"question": "\\ud800", "input": "\\ud800"}',
        json.dumps({"question": 7, "input": 7, "image": 7}).encode(),
        json.dumps({"question": "", "input": "", "image": {"b64": ""}}).encode(),
        json.dumps({"question": " \t\n", "input": "  ", "image": {"b64": "!"}}).encode(),
        json.dumps({"question": MARKER * 10_000, "input": {}, "image": MARKER}).encode(),
    ],
)
@pytest.mark.parametrize("path", ["native", "/score"])
def test_bad_json_is_a_client_error(service: Service, document: bytes, path: str) -> None:
    target = service.path if path == "native" else path
    response = httpx.post(
        service.server.url + target,
        content=document,
        headers={"Content-Type": "application/json", "X-API-Key": service.server.key},
        timeout=30,
    )
    assert response.status_code in (400, 413, 422), response.text
    assert_problem(response, response.status_code)


def test_probes_and_documents_need_no_key(service: Service) -> None:
    for path in ("/livez", "/readyz", "/openapi.json", "/docs", "/docs/swagger-ui.css"):
        assert httpx.get(service.server.url + path).status_code == 200, path


def test_metrics_are_on_their_own_port_only(service: Service) -> None:
    assert httpx.get(f"{service.server.url}/metrics").status_code == 404
    metrics = httpx.get(f"{service.server.metrics_url}/metrics").text
    assert 'modelsvc_requests_total{code="200"' in metrics
    assert "modelsvc_model_info{" in metrics
    assert MARKER not in metrics


@pytest.mark.slow
def test_schemathesis_finds_nothing(service: Service, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(
        "[checks]\n"
        'not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "503", "504"]\n'
        'positive_data_acceptance.expected-statuses = ["2xx", "413", "415", "422", "503", "504"]\n'
        "[[operations]]\n"
        'include-path-regex = "(infer|:predict)$"\n'
        'checks.positive_data_acceptance.expected-statuses = ["2xx", "4xx", "503", "504"]\n'
    )
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", f"{service.server.url}/openapi.json",
            "--checks", "all", "--max-examples", "40", "--seed", "1", "--no-color",
            "--header", f"X-API-Key: {service.server.key}",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False,
        env={**os.environ, "SCHEMATHESIS_HOOKS": HOOKS, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "20 selected" in done.stdout


@pytest.mark.parametrize("name", ["faq", "resnet"])
def test_each_command_explains_itself(name: str, service: Service) -> None:
    del service
    done = subprocess.run(
        [sys.executable, "-m", f"services.{name}", "serve", "--help"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert f"{name.upper()}_PORT" in done.stdout
    assert "--key " not in done.stdout
