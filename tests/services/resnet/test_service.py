"""The two paths of the service, through the application and over HTTP."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask.testing import FlaskClient
from PIL import Image

from services.launch import free_ports
from services.resnet.app import load
from services.resnet.settings import ResnetSettings
from services.serving.application import Service

ROOT = Path(__file__).parents[3]
Encode = Callable[..., bytes]


@pytest.fixture(scope="module")
def client(lite0_folder: Path) -> Iterator[FlaskClient]:
    settings = ResnetSettings(
        model=lite0_folder, backend="onnxruntime", max_batch=1, threads=1, deadline_ms=60_000
    )
    service = Service(load(settings), settings)
    yield service.flask.test_client()
    service.batcher.close()


def b64(body: bytes) -> str:
    return base64.b64encode(body).decode()


def best(response: Any) -> str:
    assert response.status_code == 200, response.text
    return response.get_json()["predictions"][0]["label"]


@pytest.mark.parametrize("content_type", ["image/jpeg", "application/octet-stream", "image/jxl"])
def test_a_picture_may_be_the_raw_body(
    client: FlaskClient, flower_jpeg: bytes, content_type: str
) -> None:
    response = client.post("/v1/classify", data=flower_jpeg, content_type=content_type)
    assert best(response) == "daisy"


def test_a_raw_picture_needs_no_content_type(client: FlaskClient, china_jpeg: bytes) -> None:
    assert best(client.post("/v1/classify", data=china_jpeg)) == "palace"


def test_a_picture_may_be_a_file_of_a_form(client: FlaskClient, flower_jpeg: bytes) -> None:
    form = {"image": (BytesIO(flower_jpeg), "flower.jpg"), "note": "x"}
    assert best(client.post("/v1/classify", data=form)) == "daisy"


def test_a_picture_may_be_base64_in_json(client: FlaskClient, flower_jpeg: bytes) -> None:
    document = {"image": {"b64": b64(flower_jpeg)}}
    assert best(client.post("/v1/classify", json=document)) == "daisy"


def test_five_classes_are_returned_unless_another_number_is_asked_for(
    client: FlaskClient, flower_jpeg: bytes
) -> None:
    answers = {
        query: client.post(f"/v1/classify{query}", data=flower_jpeg).get_json()
        for query in ("", "?top_k=1", "?top_k=100")
    }
    assert [len(answer["predictions"]) for answer in answers.values()] == [5, 1, 100]
    scores = [prediction["score"] for prediction in answers["?top_k=100"]["predictions"]]
    assert scores == sorted(scores, reverse=True)
    assert 0.8 < sum(scores) <= 1
    daisy = {"class_id": 985, "label": "daisy", "score": pytest.approx(0.315, abs=0.02)}
    assert answers["?top_k=1"] == {
        "predictions": [daisy],
        "model": {"name": "efficientnet_lite0", "version": "IMAGENET1K"},
    }


@pytest.mark.parametrize("query", ["top_k=0", "top_k=101", "top_k=five", "top_k=", "k=3"])
def test_a_wrong_query_is_refused(client: FlaskClient, flower_jpeg: bytes, query: str) -> None:
    assert client.post(f"/v1/classify?{query}", data=flower_jpeg).status_code == 422


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "image/jpeg", 422),
        (b"<svg/>", "image/svg+xml", 415),
        (b"\xff\xd8\xff", "image/jpeg", 422),
        (b"x", "text/plain", 415),
        (b"x", "application/x-www-form-urlencoded", 415),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 422),
        (b'{"image": {"b64": "%%%"}}', "application/json", 422),
        (b'{"image": {"b64": 3}}', "application/json", 422),
        (b'{"image": {"url": "http://localhost/"}}', "application/json", 422),
        (b'{"image": {"b64": ""}}', "application/json", 422),
        (b"x", "multipart/form-data", 400),
        (b"x", "multipart/form-data; boundary=b", 400),
        (b"--b--\r\n", "multipart/form-data; boundary=b", 422),
    ],
)
@pytest.mark.parametrize("path", ["/v1/classify"])
def test_a_bad_request_is_one_problem_in_json(
    client: FlaskClient, path: str, body: bytes, content_type: str, status: int
) -> None:
    response = client.post(path, data=body, content_type=content_type)
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    assert response.get_json()["error"] == response.get_json()["detail"]


def test_a_picture_over_the_body_limit_is_refused(client: FlaskClient) -> None:
    assert client.post("/v1/classify", data=bytes((8 << 20) + 1)).status_code == 413


def test_the_predecessors_request_gets_the_predecessors_response(
    client: FlaskClient, flower_jpeg: bytes
) -> None:
    response = client.post("/score", json={"input": {"image": f'"{b64(flower_jpeg)}"'}})
    assert response.status_code == 200
    scored, computed = response.get_json()["result"]
    assert re.fullmatch(r"Computed in \d+(\.\d{1,2})? ms", computed)
    assert list(scored) == ["image"]
    assert scored["image"][0][0] == "n11939491 daisy"
    assert [type(score) for _, score in scored["image"]] == [float] * 3


def test_the_predecessor_scored_several_named_pictures(
    client: FlaskClient, flower_jpeg: bytes, china_jpeg: bytes
) -> None:
    pictures = {"b": f"b'{b64(china_jpeg)}'", "a": b64(flower_jpeg)}
    scored = client.post("/score", json={"input": pictures}).get_json()["result"][0]
    assert {name: classes[0][0] for name, classes in scored.items()} == {
        "b": "n03877845 palace",
        "a": "n11939491 daisy",
    }


@pytest.mark.parametrize("count", [0, 9])
def test_no_picture_and_more_than_eight_are_refused(client: FlaskClient, count: int) -> None:
    pictures = {str(index): "" for index in range(count)}
    assert client.post("/score", json={"input": pictures}).status_code == 422


def test_a_bad_picture_among_several_is_named_by_its_place_and_not_by_its_name(
    client: FlaskClient, flower_jpeg: bytes
) -> None:
    pictures = {"fine": b64(flower_jpeg), "secret-name": b64(b"no picture")}
    response = client.post("/score", json={"input": pictures})
    assert response.status_code == 415
    assert "Picture 2 of 2" in response.get_json()["detail"]
    assert "secret-name" not in response.text


def test_a_small_picture_needs_no_more_than_its_bytes(client: FlaskClient, encoded: Encode) -> None:
    body = encoded(Image.new("RGB", (1, 1)), "PNG")
    assert client.post("/v1/classify", data=body).status_code == 200


def test_the_openapi_document_describes_every_way_to_send_a_picture(client: FlaskClient) -> None:
    paths = client.get("/openapi.json").get_json()["paths"]
    content = paths["/v1/classify"]["post"]["requestBody"]["content"]
    assert {"image/jpeg", "application/octet-stream", "multipart/form-data"} <= content.keys()
    assert "application/json" in paths["/score"]["post"]["requestBody"]["content"]
    assert "top_k" in [each["name"] for each in paths["/v1/classify"]["post"]["parameters"]]


def test_the_service_answers_over_http_with_a_key(resnet_server: Any, flower_jpeg: bytes) -> None:
    headers = {"Content-Type": "image/jpeg", "X-API-Key": resnet_server.key}
    url = f"{resnet_server.url}/v1/classify?top_k=1"
    response = httpx.post(url, content=flower_jpeg, headers=headers, timeout=30)
    assert response.json()["predictions"][0]["label"] == "daisy"
    del headers["X-API-Key"]
    assert httpx.post(url, content=flower_jpeg, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda folder: (folder / "model.onnx").write_bytes(b"graph"), "model.onnx"),
        (lambda folder: (folder / "labels.json").unlink(), "labels.json"),
    ],
    ids=["tampered", "missing"],
)
def test_a_model_that_was_changed_is_not_served_and_named_in_one_line(
    seeded_folder: Path, tmp_path: Path, change: Callable[[Path], object], reason: str
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    for file in seeded_folder.iterdir():
        (model / file.name).write_bytes(file.read_bytes())
    change(model)
    done = subprocess.run(
        [sys.executable, "-m", "services.resnet", "serve", "--model", str(model),
         "--port", str(free_ports(1)[0]), "--metrics-port", "0"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_a_raw_body_of_json_says_that_it_is_no_picture(client: FlaskClient) -> None:
    response = client.post("/v1/classify", data=json.dumps({"image": {}}))
    assert response.status_code == 415
