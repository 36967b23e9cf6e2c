"""Prediction by KServe's v1."""

from __future__ import annotations

import base64

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.services.serving.protocols.conftest import assert_refused, dumped
from tests.services.serving.protocols.vectors import MOST_ROWS

STEPS = {"doubled": [2.0, 4.0, 6.0], "sum": 12, "text": "[2.0, 4.0, 6.0]"}
BASE64 = base64.b64encode(b"steps").decode()


def predict(client: FlaskClient, *instances: object, **others: object) -> TestResponse:
    document = dumped({"instances": instances, **others})
    return client.post("/v1/models/doubling:predict", data=document)


@pytest.mark.parametrize(
    "instance",
    ["steps", [1, 2, 3], [1.0, 2, 3], {"name": "steps"}, {"any": [1, 2, 3]}, {"b64": BASE64},
     {"image": {"b64": BASE64}}, {"data": {"value": "steps"}}],
)  # fmt: skip
def test_an_instance_is_a_row_or_wraps_one(client: FlaskClient, instance: object) -> None:
    answer = predict(client, instance, instance)

    assert answer.status_code == 200, answer.text
    assert answer.json == {"predictions": [STEPS, STEPS]}


def test_parameters_are_those_of_the_model(client: FlaskClient) -> None:
    answer = predict(client, "steps", parameters={"scale": 3}, signature_name="ignored")

    assert answer.json is not None
    assert answer.json["predictions"][0]["sum"] == 36


@pytest.mark.parametrize(
    "instances",
    [
        (),
        ("steps",) * (MOST_ROWS + 1),
        ("steps", [1, 2, 3]),
        ([1, 2, 3], "steps"),
        ([1, 2],),
        ([1, 2, 3], [1, 2]),
        ([[1, 2, 3]],),
        ([],),
        (None,),
        (7,),
        (True,),
        ({},),
        ({"a": 1, "b": 2},),
        ({"b64": "!"},),
        ({"b64": 7},),
        ({"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": "steps"}}}}}}}}},),
    ],
)
def test_what_is_no_row_is_400(client: FlaskClient, instances: tuple[object, ...]) -> None:
    assert_refused(predict(client, *instances))


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"instances": 1}', b'{"inputs": []}'])
def test_what_is_no_request_is_400(client: FlaskClient, body: bytes) -> None:
    assert_refused(client.post("/v1/models/doubling:predict", data=body))
