"""Binary tensors: Triton's binary tensor data extension, and raw bodies."""

from __future__ import annotations

import struct

import numpy as np
import orjson
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from werkzeug.test import TestResponse

from services.serving.problem import Problem
from services.serving.protocols.binary_data import array_of_binary, binary_data
from services.serving.protocols.datatypes import NUMPY_TYPES
from services.serving.protocols.signature import TensorSpec, bytes_array
from tests.services.serving.protocols.conftest import INFER, assert_refused, output

LENGTH = "Inference-Header-Content-Length"
VECTORS = np.array([[1, 2, 3], [4, 5, 6]], "<f4")


def request(
    client: FlaskClient, binary: bytes, *, size: object = None, extra: bytes = b"",
    outputs: object = None, datatype: str = "FP32", shape: tuple[int, ...] = (2, 3), **others: object,
) -> TestResponse:  # fmt: skip
    tensor = {
        "name": "vector",
        "datatype": datatype,
        "shape": shape,
        "parameters": {"binary_data_size": len(binary) if size is None else size},
    }
    document = {"inputs": [tensor], **others}
    if outputs is not None:
        document["outputs"] = outputs
    head = orjson.dumps(document)
    return client.post(INFER, data=head + binary + extra, headers={LENGTH: str(len(head))})


def split(answer: TestResponse) -> tuple[dict[str, object], bytes]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/octet-stream"
    length = int(answer.headers[LENGTH])
    return orjson.loads(answer.data[:length]), answer.data[length:]


def test_binary_in_gives_json_out_unless_it_is_asked_for(client: FlaskClient) -> None:
    answer = request(client, VECTORS.tobytes())

    assert LENGTH not in answer.headers
    assert output(answer, "sum")["data"] == [12, 30]


def test_all_outputs_come_as_binary_in_their_order(client: FlaskClient) -> None:
    document, tail = split(
        request(client, VECTORS.tobytes(), parameters={"binary_data_output": True})
    )
    doubled, total, text = document["outputs"]  # type: ignore[misc]

    assert doubled == {
        "name": "doubled", "datatype": "FP32", "shape": [2, 3],
        "parameters": {"binary_data_size": 24},
    }  # fmt: skip
    assert np.frombuffer(tail[:24], "<f4").tolist() == [2, 4, 6, 8, 10, 12]
    assert np.frombuffer(tail[24:40], "<i8").tolist() == [12, 30]
    assert total["parameters"]["binary_data_size"] == 16
    first = b"[2.0, 4.0, 6.0]"
    assert tail[40:].startswith(struct.pack("<I", len(first)) + first)
    assert text["parameters"]["binary_data_size"] == len(tail) - 40


def test_an_output_s_own_wish_wins(client: FlaskClient) -> None:
    wishes = [
        {"name": "doubled"},
        {"name": "sum", "parameters": {"binary_data": False}},
    ]
    parameters = {"binary_data_output": True}
    document, tail = split(
        request(client, VECTORS.tobytes(), outputs=wishes, parameters=parameters)
    )
    doubled, total = document["outputs"]  # type: ignore[misc]

    assert "data" not in doubled
    assert total["data"] == [12, 30]
    assert len(tail) == 24


def test_texts_carry_their_lengths(client: FlaskClient) -> None:
    binary = b"".join(struct.pack("<I", len(text)) + text for text in (b"one", b"steps"))
    answer = request(client, binary, datatype="BYTES", shape=(2, 1))

    assert output(answer, "sum")["data"] == [6, 12]


WRONG_SIZES = {
    "too short": {"binary": bytes(23)},
    "too long": {"binary": bytes(25)},
    "more than it says": {"binary": bytes(24), "extra": b"x"},
    "less than it says": {"binary": bytes(24), "size": 28},
    "true": {"binary": bytes(1), "size": True},
    "a text": {"binary": bytes(24), "size": "24"},
    "negative": {"binary": bytes(24), "size": -24},
    "an element beyond the end": {
        "binary": struct.pack("<I", 2**32 - 1) + b"x", "datatype": "BYTES", "shape": (1, 1)
    },
    "a length cut short": {"binary": b"\1\0", "datatype": "BYTES", "shape": (1, 1)},
    "an element too many": {
        "binary": struct.pack("<I", 0) * 2, "datatype": "BYTES", "shape": (1, 1)
    },
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_SIZES.values(), ids=WRONG_SIZES)
def test_sizes_that_do_not_agree_are_400(client: FlaskClient, wrong: dict[str, object]) -> None:
    assert_refused(request(client, **wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "9999", "9" * 30, "\xb2"])
def test_a_nonsensical_length_of_the_json_is_400(client: FlaskClient, length: str) -> None:
    assert_refused(client.post(INFER, data=b"{}", headers={LENGTH: length}))


def test_a_raw_body_is_one_row_of_the_first_input(client: FlaskClient) -> None:
    answer = client.post(INFER, data=VECTORS[0].tobytes(), headers={LENGTH: "0"})

    assert output(answer, "doubled") == {
        "name": "doubled", "datatype": "FP32", "shape": [1, 3], "data": [2, 4, 6],
    }  # fmt: skip


@pytest.mark.parametrize("body", [b"", bytes(8), bytes(24)])
def test_a_raw_body_of_another_size_is_400(client: FlaskClient, body: bytes) -> None:
    assert_refused(client.post(INFER, data=body, headers={LENGTH: "0"}))


@pytest.mark.parametrize("datatype", [name for name in NUMPY_TYPES if name != "BYTES"])
@given(data=st.data())
def test_numbers_survive_the_way_there_and_back(datatype: str, data: st.DataObject) -> None:
    array = data.draw(arrays(NUMPY_TYPES[datatype], array_shapes(max_dims=4, max_side=4)))
    spec = TensorSpec("x", datatype, array.shape)
    back = array_of_binary(spec, binary_data(array, datatype), array.shape)

    assert back.dtype == array.dtype
    assert back.tobytes() == array.tobytes()


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=5))
def test_texts_survive_the_way_there_and_back(elements: list[bytes]) -> None:
    spec = TensorSpec("x", "BYTES", (-1, 1))
    sent = binary_data(bytes_array(elements), "BYTES")

    assert array_of_binary(spec, sent, (len(elements), 1)).ravel().tolist() == elements


@given(st.binary(max_size=40), st.integers(1, 4))
def test_any_bytes_are_texts_or_the_client_s_fault(content: bytes, count: int) -> None:
    spec = TensorSpec("x", "BYTES", (-1, 1))
    try:
        array = array_of_binary(spec, content, (count, 1))
    except Problem as problem:
        status = problem.status
    else:
        status = 400
        assert binary_data(array, "BYTES") == content
    assert status == 400
