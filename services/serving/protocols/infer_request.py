"""Reading an inference request of the Open Inference Protocol, in each of its three forms.

JSON alone; JSON with binary data behind it, whose header ``Inference-Header-Content-Length`` says
how long the JSON is; and, where that header is 0, the one input's data alone. The media type
decides nothing: Triton's client sends none with JSON.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.serving.model import Incoming, validate
from services.serving.problem import Problem
from services.serving.protocols.binary_data import array_of_binary
from services.serving.protocols.datatypes import BYTES
from services.serving.protocols.json_data import array_of, document_of
from services.serving.protocols.shapes import fitted_shape
from services.serving.protocols.signature import (
    RequestParameters,
    Tensor,
    TensorInterface,
    TensorSpec,
)

HEADER_LENGTH = "Inference-Header-Content-Length"
LONGEST_ID = 1000
Parameters = dict[str, Any]


class RequestInput(BaseModel):
    """One input tensor."""

    model_config = ConfigDict(strict=True)

    name: str
    shape: list[int] = Field(
        max_length=16, description="the batch first; -1 there leaves its size to the data"
    )
    datatype: str
    parameters: Parameters = Field(
        default_factory=dict,
        description='binary_data_size, or {"content_type": "base64"} where texts are base64',
    )
    data: list[Any] | None = Field(None, description="nested or flat; left out for binary data")


class RequestOutput(BaseModel):
    """One output that is wanted."""

    model_config = ConfigDict(strict=True)

    name: str
    parameters: Parameters = Field(
        default_factory=dict,
        description="binary_data: whether it comes as bytes; classification: how many of its "
        "largest values are wanted, with their labels, in its place",
    )


class InferenceRequest(BaseModel):
    """A request of the Open Inference Protocol."""

    model_config = ConfigDict(strict=True)

    id: str | None = Field(None, max_length=LONGEST_ID)
    parameters: Parameters = Field(default_factory=dict)
    inputs: list[RequestInput] = Field(min_length=1, max_length=16)
    outputs: list[RequestOutput] | None = Field(None, max_length=64)


@dataclass(frozen=True)
class WantedOutput:
    """One output as it shall be returned; ``classes`` is 0 for the tensor itself."""

    spec: TensorSpec
    is_binary: bool = False
    classes: int = 0


@dataclass(frozen=True)
class InferCall:
    """What a request asks for. ``id`` is "" where the client gave none."""

    id: str
    tensor: Tensor
    parameters: RequestParameters
    outputs: Sequence[WantedOutput] = field(default_factory=list[WantedOutput])


def read_infer_request(incoming: Incoming, interface: TensorInterface[Any, Any]) -> InferCall:
    """The request that ``incoming`` holds.

    Raises:
        Problem: 400 for one that is malformed or does not fit the model's tensors.
    """
    length = _header_length(incoming)
    if length == 0:
        return _raw(incoming.body, interface)
    document = incoming.body if length is None else incoming.body[:length]
    request = validate(InferenceRequest, document_of(document, interface), status=400)
    binary = memoryview(incoming.body)[length if length is not None else len(incoming.body) :]
    return InferCall(
        id=request.id or "",
        tensor=_tensor(request, binary, interface),
        parameters=validate(interface.parameters, request.parameters, status=400),
        outputs=_wanted(request, interface.outputs),
    )


def chosen_input(name: str, datatype: str, inputs: Sequence[TensorSpec]) -> TensorSpec:
    """Which of the alternatives a tensor is: by its type, and by its name where that says more.

    A request has one tensor only, so another name does no harm; TorchServe's and KServe's clients
    make names up.

    Raises:
        Problem: 400 if no input is of this type.
    """
    candidates = [spec for spec in inputs if spec.datatype == datatype]
    if not candidates:
        known = " or ".join(f"{spec.name} of type {spec.datatype}" for spec in inputs)
        raise Problem(400, f"The input must be {known}.")
    return next((spec for spec in candidates if spec.name == name), candidates[0])


def _header_length(incoming: Incoming) -> int | None:
    text = incoming.headers.get(HEADER_LENGTH, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise Problem(400, f"{HEADER_LENGTH} must be a whole number.")
    if int(text) > len(incoming.body):
        raise Problem(400, f"The body is shorter than its {HEADER_LENGTH}.")
    return int(text)


def _raw(body: bytes, interface: TensorInterface[Any, Any]) -> InferCall:
    """One row of the first input; Triton says no more of raw bodies than that."""
    if not body:
        raise Problem(400, "The body is empty.")
    spec = interface.inputs[0]
    shape = fitted_shape(spec, [1, *(abs(size) for size in spec.shape[1:])], interface.most_rows)
    content = len(body).to_bytes(4, "little") + body if spec.datatype == BYTES else body
    return InferCall(
        id="",
        tensor=Tensor(spec.name, array_of_binary(spec, content, shape)),
        parameters=validate(interface.parameters, {}, status=400),
        outputs=[WantedOutput(each) for each in interface.outputs],
    )


def _tensor(
    request: InferenceRequest, binary: memoryview, interface: TensorInterface[Any, Any]
) -> Tensor:
    if len(request.inputs) != 1:
        raise Problem(400, "The model takes one input.")
    given = request.inputs[0]
    spec = chosen_input(given.name, given.datatype, interface.inputs)
    size = given.parameters.get("binary_data_size")
    if size is None:
        if len(binary):
            raise Problem(400, "There is data behind the JSON that no input is said to have.")
        shape = fitted_shape(spec, _counted(given), interface.most_rows)
        is_base64 = "base64" in (
            given.parameters.get("content_type"),
            request.parameters.get("content_type"),
        )
        return Tensor(spec.name, array_of(spec, given.data, shape, is_base64=is_base64))
    if given.data is not None or isinstance(size, bool) or size != len(binary):
        raise Problem(400, "The binary data are not as long as binary_data_size says.")
    shape = fitted_shape(spec, given.shape, interface.most_rows)
    return Tensor(spec.name, array_of_binary(spec, bytes(binary), shape))


def _counted(given: RequestInput) -> list[int]:
    """The shape, its first dimension from the data where it is left open."""
    shape = given.shape
    if given.data is None or not shape or shape[0] != -1 or min(shape[1:], default=1) < 1:
        return shape
    flat = not (given.data and isinstance(given.data[0], list))
    rows = len(given.data) // math.prod(shape[1:]) if flat else len(given.data)
    return [rows, *shape[1:]]


def _wanted(request: InferenceRequest, outputs: Sequence[TensorSpec]) -> list[WantedOutput]:
    all_binary = _flag(request.parameters, "binary_data_output", default=False)
    if not request.outputs:
        return [WantedOutput(spec, all_binary) for spec in outputs]
    known: Mapping[str, TensorSpec] = {spec.name: spec for spec in outputs}
    if len({each.name for each in request.outputs}) != len(request.outputs):
        raise Problem(400, "An output is asked for twice.")
    wanted: list[WantedOutput] = []
    for each in request.outputs:
        if each.name not in known:
            raise Problem(400, f"The outputs of the model are: {', '.join(known)}.")
        is_binary = _flag(each.parameters, "binary_data", default=all_binary)
        wanted.append(WantedOutput(known[each.name], is_binary, _classes(each.parameters)))
    return wanted


def _flag(parameters: Parameters, name: str, *, default: bool) -> bool:
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise Problem(400, f"The parameter {name} must be true or false.")
    return value


def _classes(parameters: Parameters) -> int:
    count = parameters.get("classification")
    if count is None:
        return 0
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise Problem(400, "The parameter classification must be a whole number of 1 or more.")
    return count
