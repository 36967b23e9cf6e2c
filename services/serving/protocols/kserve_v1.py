"""Prediction by KServe's v1 protocol, which is TensorFlow Serving's row format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from services.serving.model import JSON_TYPE, Call, Incoming, MediaType, Operation, Timing, validate
from services.serving.problem import Problem
from services.serving.protocols.datatypes import BYTES
from services.serving.protocols.json_data import BASE64_FIELD, array_of, document_of
from services.serving.protocols.shapes import fitted_shape
from services.serving.protocols.signature import Tensor, TensorInterface, TensorSpec

PREDICT = "/v1/models/<model_name>:predict"
_DEEPEST = 8
_DESCRIPTION = (
    "KServe's v1 protocol. An instance is the value of one row: a text; bytes, as "
    '{"b64": "base64"}; or nested lists of numbers. It may be wrapped in an object with one name '
    "of any kind. `parameters` are those of the model."
)


class PredictRequest(BaseModel):
    """The rows to score."""

    model_config = ConfigDict(strict=True)

    instances: list[Any] = Field(min_length=1)
    parameters: dict[str, Any] = Field(default_factory=dict)


class PredictResponse(BaseModel):
    """What the model says of each row."""

    predictions: list[Any]


def predict_operations(interface: TensorInterface[Any, Any]) -> Sequence[Operation[Any, Any]]:
    """The path of prediction."""

    def prepare(incoming: Incoming) -> Call[Any, Any]:
        request = validate(PredictRequest, document_of(incoming.body, interface), status=400)
        parameters = validate(interface.parameters, request.parameters, status=400)
        tensor = _tensor(request.instances, interface)

        def render(outputs: Sequence[Any], _: Timing) -> Mapping[str, object]:
            return {"predictions": interface.predictions(outputs, parameters)}

        return Call(interface.prepare(tensor), render)

    example = interface.example
    examples = {} if example is None else {"one_row": {"instances": [example]}}
    return [
        Operation(
            path=PREDICT,
            operation_id="predict",
            summary="Predict",
            description=_DESCRIPTION,
            accepts={JSON_TYPE: MediaType(PredictRequest, examples)},
            response=PredictResponse,
            prepare=prepare,
        )
    ]


def _tensor(instances: Sequence[object], interface: TensorInterface[Any, Any]) -> Tensor:
    if len(instances) > interface.most_rows:
        raise Problem(400, f"There may be at most {interface.most_rows} instances.")
    values = [_unwrapped(each) for each in instances]
    spec = _chosen(values[0], interface.inputs)
    shape = fitted_shape(spec, [len(values), *_row_shape(values[0])], interface.most_rows)
    return Tensor(spec.name, np.concatenate([_row(spec, each, shape) for each in values]))


def _unwrapped(instance: object) -> object:
    """The value itself, out of objects with one entry that does not mark base64."""
    for _ in range(_DEEPEST):
        if not isinstance(instance, dict):
            return instance
        entries = cast("dict[str, object]", instance)
        if len(entries) != 1 or BASE64_FIELD in entries:
            return entries
        (instance,) = entries.values()
    return instance


def _chosen(value: object, inputs: Sequence[TensorSpec]) -> TensorSpec:
    is_bytes = isinstance(value, str | dict)
    chosen = next((spec for spec in inputs if (spec.datatype == BYTES) == is_bytes), None)
    if chosen is None:
        known = " or ".join(f"{spec.name} of type {spec.datatype}" for spec in inputs)
        raise Problem(400, f"An instance must be {known}.")
    return chosen


def _row_shape(value: object) -> list[int]:
    shape: list[int] = []
    while isinstance(value, list) and len(shape) < _DEEPEST:
        inner = cast("list[object]", value)
        shape.append(len(inner))
        value = inner[0] if inner else None
    return shape


def _row(spec: TensorSpec, value: object, shape: Sequence[int]) -> Any:
    # A text is the one element of its row; lists are the row itself, so that they need a batch.
    return array_of(spec, [value], (1, *shape[1:]))
