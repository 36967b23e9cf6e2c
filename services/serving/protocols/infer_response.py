"""Writing an inference response of the Open Inference Protocol, as JSON or with binary data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from services.serving.model import JSON_TYPE, EncodedAnswer, ModelInfo
from services.serving.protocols.binary_data import binary_data
from services.serving.protocols.classification import classified
from services.serving.protocols.compression import compressed
from services.serving.protocols.datatypes import BYTES
from services.serving.protocols.infer_request import HEADER_LENGTH, WantedOutput
from services.serving.protocols.json_data import json_data

BINARY_TYPE = "application/octet-stream"


class ResponseOutput(BaseModel):
    """One output tensor."""

    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    data: list[Any] | None = None


class InferenceResponse(BaseModel):
    """A response of the Open Inference Protocol."""

    model_name: str
    model_version: str
    id: str
    outputs: list[ResponseOutput]


def encode_infer_response(
    info: ModelInfo,
    request_id: str,
    arrays: Mapping[str, NDArray[Any]],
    wanted: Sequence[WantedOutput],
    *,
    accepted_codings: str = "",
) -> EncodedAnswer:
    """The answer that holds the wanted of these ``arrays``.

    Args:
        info: the model that answered.
        request_id: the client's id of the request, or one that was made for it.
        arrays: every output by name.
        wanted: which of them, and how.
        accepted_codings: the request's Accept-Encoding header.
    """
    outputs: list[dict[str, object]] = []
    tail: list[bytes] = []
    for each in wanted:
        array, datatype = arrays[each.spec.name], each.spec.datatype
        if each.classes:
            array, datatype = classified(each.spec, array, each.classes), BYTES
        output: dict[str, object] = {
            "name": each.spec.name,
            "datatype": datatype,
            "shape": list(array.shape),
        }
        if each.is_binary:
            tail.append(binary_data(array, datatype))
            output["parameters"] = {"binary_data_size": len(tail[-1])}
        else:
            output["data"] = json_data(array)
        outputs.append(output)
    document = {
        "model_name": info.name,
        "model_version": info.version,
        "id": request_id,
        "outputs": outputs,
    }
    head = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    headers = {HEADER_LENGTH: str(len(head))} if tail else {}
    body, coding = compressed(b"".join((head, *tail)), accepted_codings)
    if coding:
        headers |= {"Content-Encoding": coding}
    return EncodedAnswer(
        body, BINARY_TYPE if tail else JSON_TYPE, {**headers, "Vary": "Accept-Encoding"}
    )
