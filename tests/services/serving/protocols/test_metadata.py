"""Health, metadata and configuration, by both protocols."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from services.serving.application import Service
from tests.services.serving.protocols.conftest import assert_refused

MODELS = ("/v2/models/doubling", "/v2/models/vectors")
"""By the model's own name, and by the service's."""


@pytest.mark.parametrize("path", ["/v2", "/v2/"])
def test_the_server_names_its_extensions(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 200, "not a redirection"
    assert answer.json is not None
    assert answer.json["name"] == "realtime-scoring"
    assert answer.json["version"]
    assert {"binary_tensor_data", "classification", "model_configuration"} == set(
        answer.json["extensions"]
    )


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("version", ["", "/versions/7", "/versions/latest"])
def test_a_model_lists_its_versions_and_its_tensors(
    client: FlaskClient, model: str, version: str
) -> None:
    assert client.get(model + version).json == {
        "name": "doubling",
        "versions": ["7"],
        "platform": "numpy",
        "inputs": [{"name": "vector", "datatype": "FP32", "shape": [-1, 3]}],
        "outputs": [
            {"name": "doubled", "datatype": "FP32", "shape": [-1, 3]},
            {"name": "sum", "datatype": "INT64", "shape": [-1, 1]},
            {"name": "text", "datatype": "BYTES", "shape": [-1, 1]},
        ],
        "parameters": {
            "alternative_inputs": [{"name": "name", "datatype": "BYTES", "shape": [-1, 1]}]
        },
    }


@pytest.mark.parametrize("version", ["", "/versions/7"])
def test_a_configuration_has_what_triton_s_clients_read(client: FlaskClient, version: str) -> None:
    config = client.get(f"{MODELS[0]}{version}/config").json

    assert config is not None
    assert config["max_batch_size"] == 8
    assert config["input"] == [
        {"name": "vector", "data_type": "TYPE_FP32", "format": "FORMAT_NONE", "dims": [3]}
    ]
    assert [each["data_type"] for each in config["output"]] == [
        "TYPE_FP32", "TYPE_INT64", "TYPE_STRING",
    ]  # fmt: skip


def test_health_follows_the_service(client: FlaskClient, service: Service) -> None:
    paths = ("/v2/health/ready", f"{MODELS[0]}/ready", "/v1/models/doubling")
    assert [client.get(path).json for path in paths] == [
        {"ready": True}, {"name": "doubling", "ready": True}, {"name": "doubling", "ready": True},
    ]  # fmt: skip

    service.lifecycle.drain()

    assert [client.get(path).status_code for path in paths] == [503] * 3
    assert client.get("/v2/health/live").json == {"live": True}
    service.batcher.close()
    assert (client.get("/v2/health/live").status_code, client.get("/").status_code) == (503, 503)


def test_v1_lists_the_models(client: FlaskClient) -> None:
    assert client.get("/v1/models").json == {"models": ["doubling"]}
    assert client.get("/").json == {"status": "alive"}


@pytest.mark.parametrize(
    "path",
    ["/v2/models/no", "/v2/models/no/ready", "/v2/models/no/config", "/v2/models/no/versions/7",
     "/v2/models/doubling/versions/8", "/v2/models/doubling/versions/8/ready", "/v1/models/no",
     "/v2/models", "/v2/nothing", "/v2/models/doubling/nothing", "/v2/models/doubling/",
     "/v1/models/doubling:explain", "/v1/models/"],
)  # fmt: skip
def test_what_is_not_there_is_404_in_the_protocol_s_shape(client: FlaskClient, path: str) -> None:
    assert_refused(client.get(path), 404)


@pytest.mark.parametrize(
    "path",
    ["/v2/models/no/infer", "/v2/models/doubling/versions/8/infer", "/v1/models/no:predict"],
)
def test_inference_of_an_unknown_model_is_404(client: FlaskClient, path: str) -> None:
    assert_refused(client.post(path, data=b"{}"), 404)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v2/models/doubling/infer", "POST"),
        ("POST", "/v2/models/doubling", "GET, HEAD"),
        ("PUT", "/v2", "GET, HEAD"),
        ("DELETE", "/v1/models/doubling:predict", "POST"),
    ],
)
def test_another_method_is_405_in_the_protocol_s_shape(
    client: FlaskClient, method: str, path: str, allow: str
) -> None:
    answer = client.open(path, method=method)

    assert_refused(answer, 405)
    assert ", ".join(sorted(answer.headers["Allow"].replace(",", "").split())) == allow
