"""Triton's classification extension: the K largest values of an output, with their labels.

Each becomes the text ``value:index`` or ``value:index:label``.
https://docs.nvidia.com/deeplearning/triton-inference-server/ (extension_classification)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.serving.problem import Problem
from services.serving.protocols.datatypes import BYTES
from services.serving.protocols.signature import TensorSpec, bytes_array


def classified(spec: TensorSpec, array: NDArray[Any], count: int) -> NDArray[Any]:
    """The ``count`` largest values of each row of ``array``, largest first: BYTES [rows, count].

    Equal values are in the order of their indices; there are never more than a row has.

    Raises:
        Problem: 400 for an output of type BYTES or BOOL.
    """
    if spec.datatype in (BYTES, "BOOL"):
        raise Problem(400, f"Output {spec.name} has no classes.")
    rows = array.reshape(len(array), -1)
    best = np.argsort(-rows.astype(np.float64), axis=1, kind="stable")[:, :count]
    texts = [
        _text(value, index, spec)
        for row, indices in zip(rows, best.tolist(), strict=True)
        for value, index in zip(row[indices].tolist(), indices, strict=True)
    ]
    return bytes_array(texts, best.shape)


def _text(value: float, index: int, spec: TensorSpec) -> bytes:
    number = f"{value:.6f}" if isinstance(value, float) else str(value)
    label = f":{spec.labels[index]}" if spec.labels else ""
    return f"{number}:{index}{label}".encode()
