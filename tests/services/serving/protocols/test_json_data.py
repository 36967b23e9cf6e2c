"""A request has as many parts as the largest batch of its tensors, and no more are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from services.serving.problem import Problem
from services.serving.protocols.json_data import document_of
from services.serving.protocols.signature import OTHER_PARTS, TensorInterface, TensorSpec

ROWS = 4
PICTURES = TensorInterface[Any, Any](
    inputs=(TensorSpec("bytes", "BYTES", (-1, 1)), TensorSpec("pixels", "FP32", (-1, 20, 30, 3))),
    outputs=(),
    prepare=list,
    render=lambda _outputs, _parameters: {},
    most_rows=ROWS,
)


def nested(rows: int) -> Mapping[str, object]:
    return {"inputs": [{"name": "pixels", "data": np.ones((rows, 20, 30, 3)).tolist()}]}


def test_the_largest_batch_may_be_nested_to_its_last_dimension() -> None:
    assert document_of(json.dumps(nested(ROWS)).encode(), PICTURES) == nested(ROWS)


@pytest.mark.parametrize("part", ["[]", "{}", '{"a":[]}'])
def test_more_parts_than_any_batch_has_are_not_read(part: str) -> None:
    body = f"[{','.join([part] * 2 * (OTHER_PARTS + ROWS * 20 * 30))}]".encode()

    with pytest.raises(Problem, match="more parts") as raised:
        document_of(body, PICTURES)
    assert raised.value.status == 400


def test_a_dimension_of_any_size_has_no_such_bound() -> None:
    free = replace(PICTURES, inputs=(TensorSpec("pixels", "FP32", (-1, -1, -1)),))
    lists = [[]] * 100_000

    assert document_of(json.dumps(lists).encode(), free) == lists


def test_what_is_no_document_is_refused() -> None:
    with pytest.raises(Problem, match="not valid JSON"):
        document_of(b'{"inputs": [', PICTURES)
