"""Tensor data in JSON: nested or flat, row-major; bytes as text, or as base64 where marked so."""

from __future__ import annotations

import base64
import binascii
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import orjson
from numpy.typing import NDArray

from services.serving.json_parts import more_parts_than, read_json
from services.serving.problem import Problem
from services.serving.protocols.datatypes import BYTES, NUMPY_TYPES
from services.serving.protocols.signature import TensorInterface, TensorSpec, as_text, bytes_array

BASE64_FIELD = "b64"
"""``{"b64": "…"}`` is how TensorFlow Serving and KServe v1 mark bytes within JSON."""


def document_of(body: bytes, interface: TensorInterface[Any, Any]) -> object:
    """The JSON document of a request for these tensors.

    Raises:
        Problem: 400 if it is none, or has more parts than the largest batch needs.
    """
    if more_parts_than(interface.most_json_parts, body):
        raise Problem(400, "The request has more parts than the largest batch needs.")
    try:
        return read_json(body)
    except orjson.JSONDecodeError:
        raise Problem(400, "The request is not valid JSON in UTF-8.") from None


def array_of(
    spec: TensorSpec, data: object, shape: Sequence[int], *, is_base64: bool = False
) -> NDArray[Any]:
    """The array of ``shape`` that JSON ``data`` describes.

    Args:
        spec: the input that it is for, whose shape ``shape`` fits.
        data: nested or flat lists.
        shape: every dimension.
        is_base64: whether texts are base64 of the bytes that are meant.

    Raises:
        Problem: 400 if the data are of another type or shape.
    """
    elements = _flat(spec, data, shape)
    if spec.datatype == BYTES:
        return bytes_array([_bytes(spec, each, is_base64) for each in elements], shape)
    kinds = _JSON_KINDS["f" if spec.datatype.startswith("FP") else spec.datatype[0].lower()]
    if not kinds.issuperset(map(type, elements)):
        raise Problem(400, f"The data of input {spec.name} are not of type {spec.datatype}.")
    try:
        with np.errstate(over="ignore"):
            return np.array(elements, NUMPY_TYPES[spec.datatype]).reshape(shape)
    except OverflowError:
        raise Problem(
            400, f"The data of input {spec.name} do not fit into {spec.datatype}."
        ) from None


def json_data(array: NDArray[Any]) -> object:
    """An output's data as JSON has it: flat, row-major."""
    flat = np.ascontiguousarray(array).ravel()
    if array.dtype == object:
        return [as_text(element) for element in flat.tolist()]
    # orjson writes no 16-bit floats of its own accord.
    return flat.astype(np.float32) if array.dtype == np.float16 else flat


_JSON_KINDS: Mapping[str, frozenset[type]] = {
    "b": frozenset({bool}),
    "i": frozenset({int}),
    "u": frozenset({int}),
    "f": frozenset({int, float}),
}


def _flat(spec: TensorSpec, data: object, shape: Sequence[int]) -> list[object]:
    mismatch = Problem(400, f"The data of input {spec.name} do not have its shape.")
    if not isinstance(data, list):
        raise mismatch
    level = cast("list[object]", data)
    if level and isinstance(level[0], list):
        for size in shape[1:]:
            if not all(isinstance(each, list) for each in level):
                raise mismatch
            lists = cast("list[list[object]]", level)
            if any(len(each) != size for each in lists):
                raise mismatch
            level = list(itertools.chain.from_iterable(lists))
        if len(cast("list[object]", data)) != shape[0]:
            raise mismatch
    if len(level) != math.prod(shape):
        raise mismatch
    return level


def _bytes(spec: TensorSpec, element: object, is_base64: bool) -> bytes:
    if isinstance(element, dict):
        marked = cast("dict[str, object]", element)
        element, is_base64 = (marked.get(BASE64_FIELD), True) if len(marked) == 1 else (None, False)
    if not isinstance(element, str):
        raise Problem(400, f"The data of input {spec.name} are not of type BYTES.")
    if not is_base64:
        return element.encode()
    try:
        return base64.b64decode(element, validate=True)
    except (binascii.Error, ValueError):
        raise Problem(400, f"The data of input {spec.name} are not valid base64.") from None
