"""Inference by the Open Inference Protocol: JSON requests and responses."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.services.serving.protocols.conftest import (
    INFER,
    Infer,
    assert_refused,
    dumped,
    output,
    tensor_request,
)
from tests.services.serving.protocols.vectors import MOST_ROWS


def test_every_output_comes_back_flat_with_its_shape(infer: Infer) -> None:
    answer = infer(shape=[2, 3], data=[1, 2, 3, 4, 5, 6])

    assert output(answer, "doubled") == {
        "name": "doubled", "datatype": "FP32", "shape": [2, 3], "data": [2, 4, 6, 8, 10, 12],
    }  # fmt: skip
    assert output(answer, "sum")["data"] == [12, 30]
    assert output(answer, "text")["data"] == ["[2.0, 4.0, 6.0]", "[8.0, 10.0, 12.0]"]
    assert answer.json is not None
    assert (answer.json["model_name"], answer.json["model_version"]) == ("doubling", "7")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Model-Version"] == "7"


@pytest.mark.parametrize(
    "data", [[1, 2, 3, 4, 5, 6], [[1, 2, 3], [4, 5, 6]], [1.0, 2, 3.0, 4, 5, 6]]
)
def test_data_may_be_flat_or_nested(infer: Infer, data: list[object]) -> None:
    assert output(infer(shape=[2, 3], data=data), "sum")["data"] == [12, 30]


def test_the_id_is_echoed_or_made(infer: Infer) -> None:
    given_id = infer(id="42").json
    made = infer(headers={"X-Request-Id": "mine"}).json

    assert given_id is not None
    assert made is not None
    assert (given_id["id"], made["id"]) == ("42", "mine")


def test_only_the_outputs_that_are_asked_for_come_back_in_that_order(infer: Infer) -> None:
    answer = infer(outputs=[{"name": "text"}, {"name": "sum"}])

    assert answer.json is not None
    assert [each["name"] for each in answer.json["outputs"]] == ["text", "sum"]


def test_the_model_reads_its_parameters_and_ignores_reserved_ones(infer: Infer) -> None:
    answer = infer(parameters={"scale": 5, "priority": 1, "binary_data_output": False})

    assert output(answer, "sum")["data"] == [60]


@pytest.mark.parametrize("shape", [[2], [2, 1], [-1], [-1, 1]])
def test_the_other_input_is_chosen_by_its_type(infer: Infer, shape: list[int]) -> None:
    answer = infer(name="a-uuid", datatype="BYTES", shape=shape, data=["one", "steps"])

    assert output(answer, "sum")["data"] == [6, 12]


@pytest.mark.parametrize(
    ("data", "input_parameters"),
    [(["b25l"], {"content_type": "base64"}), ([{"b64": "b25l"}], {}), ([[{"b64": "b25l"}]], {})],
)
def test_bytes_may_be_base64_where_they_are_marked_so(
    infer: Infer, data: list[object], input_parameters: dict[str, object]
) -> None:
    answer = infer(datatype="BYTES", shape=[1, 1], data=data, input_parameters=input_parameters)

    assert output(answer, "sum")["data"] == [6]


def test_a_problem_of_the_model_s_own_keeps_its_status(infer: Infer) -> None:
    answer = infer(name="name", datatype="BYTES", shape=[1], data=["no such name"])

    assert assert_refused(answer, 422) == "There is no such vector."


WRONG = {
    "another type": {"datatype": "FP64"},
    "no known type": {"datatype": "FP128"},
    "too few dimensions": {"shape": [3]},
    "too many dimensions": {"shape": [1, 1, 3]},
    "a dimension of another size": {"shape": [1, 4], "data": [1, 2, 3, 4]},
    "fewer data than the shape": {"data": [1, 2]},
    "more data than the shape": {"data": [1, 2, 3, 4]},
    "ragged data": {"shape": [2, 3], "data": [[1, 2], [3, 4, 5, 6]]},
    "nested too deeply": {"data": [[[1], [2], [3]]]},
    "fewer rows than the shape": {"shape": [2, 3], "data": [[1, 2, 3]]},
    "half nested": {"shape": [2, 3], "data": [[1, 2, 3], 4]},
    "no rows": {"shape": [0, 3], "data": []},
    "too many rows": {"shape": [MOST_ROWS + 1, 3], "data": [0] * 3 * (MOST_ROWS + 1)},
    "a huge shape": {"shape": [10**15, 3]},
    "a negative dimension": {"shape": [1, -3]},
    "no shape": {"shape": []},
    "text for numbers": {"data": ["1", "2", "3"]},
    "truths for numbers": {"data": [True, False, True]},
    "null for a number": {"data": [1, None, 3]},
    "numbers for text": {"datatype": "BYTES", "shape": [1, 1], "data": [1]},
    "no base64": {
        "datatype": "BYTES", "shape": [1], "data": ["!"],
        "input_parameters": {"content_type": "base64"},
    },
    "an object that marks nothing": {"datatype": "BYTES", "shape": [1], "data": [{"x": "b25l"}]},
    "no data": {"data": None},
    "data that are no list": {"data": "123"},
    "an unknown output": {"outputs": [{"name": "nothing"}]},
    "an output twice": {"outputs": [{"name": "sum"}, {"name": "sum"}]},
    "no classes": {"outputs": [{"name": "doubled", "parameters": {"classification": 0}}]},
    "true for a number": {"outputs": [{"name": "doubled", "parameters": {"classification": True}}]},
    "classes of texts": {"outputs": [{"name": "text", "parameters": {"classification": 1}}]},
    "a number for true": {"parameters": {"binary_data_output": 1}},
    "a parameter out of range": {"parameters": {"scale": 11}},
    "a size of data that are not there": {"input_parameters": {"binary_data_size": 12}},
    "a number as id": {"id": 42},
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_400(infer: Infer, wrong: dict[str, object]) -> None:
    assert_refused(infer(**wrong))


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"[]", b"null", b"{}", b'{"inputs": []}', b'{"inputs": [{}]}', b"[" * 5000,
     dumped({"inputs": tensor_request()["inputs"] * 2})],  # type: ignore[operator]
)  # fmt: skip
def test_what_is_no_request_is_400(client: FlaskClient, document: bytes) -> None:
    assert_refused(client.post(INFER, data=document))


def test_values_of_the_client_are_not_repeated(infer: Infer) -> None:
    assert "marker" not in infer(name="marker", datatype="marker", data=["marker"]).text


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.lists(st.integers(-2, 10), max_size=4),
    data=st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text()
        ),
        lambda inner: st.lists(inner, max_size=4),
        max_leaves=30,
    ),
    datatype=st.sampled_from(["FP32", "BYTES", "INT8", ""]),
)
def test_any_tensor_is_an_answer_or_the_client_s_fault(
    infer: Infer, shape: list[int], data: object, datatype: str
) -> None:
    assert infer(shape=shape, data=data, datatype=datatype).status_code in (200, 400, 422)
