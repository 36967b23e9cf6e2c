"""The classification extension."""

from __future__ import annotations

import numpy as np
import pytest

from services.serving.protocols.classification import classified
from services.serving.protocols.signature import TensorSpec
from tests.services.serving.protocols.conftest import Infer, output

LABELLED = TensorSpec("x", "FP32", (-1, 4), labels=("a", "b", "c", "d"))
ROWS = np.array([[1, 5, 10, 4], [0.5, 0.5, 0, 0.25]], np.float32)


def test_the_largest_come_first_with_value_index_and_label() -> None:
    assert classified(LABELLED, ROWS, 2).tolist() == [
        [b"10.000000:2:c", b"5.000000:1:b"],
        [b"0.500000:0:a", b"0.500000:1:b"],
    ]


def test_without_labels_there_are_none() -> None:
    spec = TensorSpec("x", "INT32", (-1, 3))
    rows = np.array([[-5, 7, 0]], np.int32)

    assert classified(spec, rows, 3).tolist() == [[b"7:1", b"0:2", b"-5:0"]]


@pytest.mark.parametrize("count", [4, 5, 1000])
def test_there_are_never_more_than_a_row_has(count: int) -> None:
    assert classified(LABELLED, ROWS, count).shape == (2, 4)


def test_the_largest_of_unsigned_numbers_is_found() -> None:
    rows = np.array([[0, 2**63, 1]], np.uint64)

    assert classified(TensorSpec("x", "UINT64", (-1, 3)), rows, 1)[0, 0].endswith(b":1")


def test_a_request_gets_it_in_place_of_the_tensor(infer: Infer) -> None:
    wanted = [{"name": "doubled", "parameters": {"classification": 2}}]

    assert output(infer(outputs=wanted), "doubled") == {
        "name": "doubled", "datatype": "BYTES", "shape": [1, 2],
        "data": ["6.000000:2:z", "4.000000:1:y"],
    }  # fmt: skip
