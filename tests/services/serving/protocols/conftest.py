"""The vector model in this process, without keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.serving.application import Service
from tests.services.serving.lever_service import LeverSettings
from tests.services.serving.protocols.vectors import VectorModel

INFER = "/v2/models/doubling/infer"
Infer = Callable[..., TestResponse]


@pytest.fixture
def service() -> Iterator[Service]:
    settings = LeverSettings(model=Path(), deadline_ms=2000)
    each = Service(VectorModel(), settings)
    each.lifecycle.start()
    yield each
    each.batcher.close()


@pytest.fixture
def client(service: Service) -> FlaskClient:
    return service.flask.test_client()


@pytest.fixture
def infer(client: FlaskClient) -> Infer:
    """``infer(data=…, shape=…)``: a request with one input, as JSON without a media type."""

    def ask(headers: Mapping[str, str] | None = None, **request: Any) -> TestResponse:
        return client.post(INFER, data=dumped(tensor_request(**request)), headers=headers or {})

    return ask


def tensor_request(
    *,
    name: str = "vector",
    datatype: str = "FP32",
    shape: list[int] | None = None,
    data: object = (1, 2, 3),
    input_parameters: Mapping[str, object] | None = None,
    **others: object,
) -> dict[str, object]:
    tensor: dict[str, object] = {
        "name": name,
        "datatype": datatype,
        "shape": [1, 3] if shape is None else shape,
        "data": data,
    }
    if input_parameters is not None:
        tensor["parameters"] = input_parameters
    return {"inputs": [tensor], **others}


def dumped(document: object) -> bytes:
    return orjson.dumps(document)


def output(answer: TestResponse, name: str) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return next(each for each in answer.json["outputs"] if each["name"] == name)


def assert_refused(answer: TestResponse, status: int = 400) -> str:
    """The error is in the protocol's shape, in the one media type that KServe's client reads."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json is not None
    assert answer.json["error"] == answer.json["detail"]
    return answer.json["error"]
