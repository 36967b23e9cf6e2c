"""Tensor data as bytes: Triton's binary tensor data extension.

Little-endian, row-major, without padding; an element of BYTES is its length in four bytes, then
itself. https://docs.nvidia.com/deeplearning/triton-inference-server/ (extension_binary_data)
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.serving.problem import Problem
from services.serving.protocols.datatypes import BYTES, NUMPY_TYPES
from services.serving.protocols.signature import TensorSpec, bytes_array

LENGTH = struct.Struct("<I")


def array_of_binary(spec: TensorSpec, content: bytes, shape: Sequence[int]) -> NDArray[Any]:
    """The array of ``shape`` whose binary data ``content`` is; numbers are not copied.

    Raises:
        Problem: 400 if it is too short or too long.
    """
    count = math.prod(shape)
    if spec.datatype == BYTES:
        return bytes_array(_elements(spec, content, count), shape)
    kind = NUMPY_TYPES[spec.datatype]
    if len(content) != count * kind.itemsize:
        raise _wrong_size(spec)
    if spec.datatype == "BOOL":
        return (np.frombuffer(content, np.uint8) != 0).reshape(shape)
    return np.frombuffer(content, kind).reshape(shape)


def binary_data(array: NDArray[Any], datatype: str) -> bytes:
    """An output's data as bytes."""
    if datatype != BYTES:
        return np.ascontiguousarray(array, NUMPY_TYPES[datatype]).tobytes()
    elements: list[bytes] = array.ravel().tolist()
    return b"".join(part for each in elements for part in (LENGTH.pack(len(each)), each))


def _elements(spec: TensorSpec, content: bytes, count: int) -> list[bytes]:
    elements: list[bytes] = []
    place = 0
    while len(elements) < count:
        if place + LENGTH.size > len(content):
            raise _wrong_size(spec)
        (length,) = LENGTH.unpack_from(content, place)
        place += LENGTH.size
        if place + length > len(content):
            raise _wrong_size(spec)
        elements.append(content[place : place + length])
        place += length
    if place != len(content):
        raise _wrong_size(spec)
    return elements


def _wrong_size(spec: TensorSpec) -> Problem:
    return Problem(400, f"The binary data of input {spec.name} do not have its shape.")
