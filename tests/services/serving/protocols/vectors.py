"""A model of vectors of three numbers, or of names of them, behind the standard protocols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from services.serving.model import Model, ModelInfo, Operation
from services.serving.problem import Problem
from services.serving.protocols.signature import (
    RequestParameters,
    Tensor,
    TensorInterface,
    TensorSpec,
    bytes_array,
)

Vector = NDArray[np.float32]
NAMED = {"one": (1, 1, 1), "steps": (1, 2, 3)}
MOST_ROWS = 8


class Scale(RequestParameters):
    scale: int = Field(1, ge=1, le=10)


class VectorModel(Model[Vector, Vector]):
    """Doubles and sums vectors."""

    scope = "vectors"

    def __init__(self, version: str = "7", factor: float = 2) -> None:
        self.info = ModelInfo("doubling", version, "ab" * 32, "numpy")
        self.factor = factor

    def predict(self, items: Sequence[Vector]) -> Sequence[Vector]:
        return [np.float32(self.factor) * item for item in items]

    def operations(self) -> Sequence[Operation[Any, Any]]:
        return ()

    def tensors(self) -> TensorInterface[Vector, Vector]:
        return TensorInterface(
            inputs=(TensorSpec("vector", "FP32", (-1, 3)), TensorSpec("name", "BYTES", (-1, 1))),
            outputs=(
                TensorSpec("doubled", "FP32", (-1, 3), labels=("x", "y", "z")),
                TensorSpec("sum", "INT64", (-1, 1)),
                TensorSpec("text", "BYTES", (-1, 1)),
            ),
            prepare=prepare,
            render=render,
            most_rows=MOST_ROWS,
            parameters=Scale,
        )


def prepare(tensor: Tensor) -> list[Vector]:
    if tensor.name == "vector":
        return list(tensor.values)
    try:
        return [np.array(NAMED[name], np.float32) for name in tensor.texts()]
    except KeyError:
        raise Problem(422, "There is no such vector.") from None


def render(outputs: Sequence[Vector], parameters: Scale) -> dict[str, NDArray[Any]]:
    doubled = np.stack(outputs) * np.float32(parameters.scale)
    return {
        "doubled": doubled,
        "sum": doubled.sum(axis=1, keepdims=True).astype(np.int64),
        "text": bytes_array([str(row.tolist()).encode() for row in doubled]),
    }
