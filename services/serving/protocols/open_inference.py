"""Inference by the Open Inference Protocol (v2).

https://github.com/kserve/open-inference-protocol (specification/protocol/inference_rest.md)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.serving.model import (
    JSON_TYPE,
    Call,
    EncodedAnswer,
    Incoming,
    MediaType,
    ModelInfo,
    Operation,
    Timing,
)
from services.serving.protocols.infer_request import InferenceRequest, read_infer_request
from services.serving.protocols.infer_response import (
    BINARY_TYPE,
    InferenceResponse,
    encode_infer_response,
)
from services.serving.protocols.signature import TensorInterface

INFER = "/v2/models/<model_name>/infer"
INFER_VERSION = "/v2/models/<model_name>/versions/<model_version>/infer"
_DESCRIPTION = (
    "The Open Inference Protocol. Tensors are JSON, or binary data behind the JSON, whose length "
    "then is in the header Inference-Header-Content-Length (Triton's binary tensor data "
    "extension); with that header 0 the whole body is one row of the first input. Errors have an "
    "`error` string."
)
_BINARY_SCHEMA: Mapping[str, object] = {"type": "string", "format": "binary"}


def infer_operations(
    info: ModelInfo, interface: TensorInterface[Any, Any]
) -> Sequence[Operation[Any, Any]]:
    """The two paths of inference, with and without a version."""

    def prepare(incoming: Incoming) -> Call[Any, Any]:
        request = read_infer_request(incoming, interface)

        def render(outputs: Sequence[Any], _: Timing) -> EncodedAnswer:
            return encode_infer_response(
                info,
                request.id or incoming.request_id,
                interface.render(outputs, request.parameters),
                request.outputs,
                accepted_codings=incoming.headers.get("Accept-Encoding", ""),
            )

        return Call(interface.prepare(request.tensor), render)

    return [
        Operation(
            path=path,
            operation_id=operation_id,
            summary="Infer",
            description=_DESCRIPTION,
            accepts={
                JSON_TYPE: MediaType(InferenceRequest, _examples(interface)),
                BINARY_TYPE: MediaType(_BINARY_SCHEMA),
            },
            response=InferenceResponse,
            prepare=prepare,
            returns=(JSON_TYPE, BINARY_TYPE),
        )
        for path, operation_id in ((INFER, "infer"), (INFER_VERSION, "infer_version"))
    ]


def _examples(interface: TensorInterface[Any, Any]) -> Mapping[str, object]:
    if interface.example is None:
        return {}
    spec = interface.inputs[0]
    row = {"name": spec.name, "datatype": spec.datatype, "shape": [1, 1]}
    return {"one_row": {"inputs": [{**row, "data": [interface.example]}]}}
