"""What KServe's client finds: ``.venvs/kserve/bin/python kserve_checks.py …``."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Coroutine
from typing import Any

import httpx
import numpy as np
from check_list import CheckList, Target
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

check = CheckList()
UNKNOWN = "no-such-model"


def client(protocol: str) -> InferenceRESTClient:
    return InferenceRESTClient(RESTConfig(protocol=protocol, retries=0, timeout=30))


def url(target: Target) -> str:
    return f"http://{target.address}"


def run(awaited: Coroutine[Any, Any, Any]) -> Any:
    async def inside() -> Any:
        return await awaited

    return asyncio.run(inside())


def json_request(target: Target) -> InferRequest:
    if target.is_text:
        tensor = InferInput(target.input, [1, 1], "BYTES", data=[target.row.decode()])
    else:
        text = base64.b64encode(target.row).decode()
        marked = {"content_type": "base64"}
        tensor = InferInput(target.input, [1, 1], "BYTES", data=[text], parameters=marked)
    return InferRequest(model_name=target.model, infer_inputs=[tensor], request_id="id-1")


def binary_request(target: Target) -> InferRequest:
    tensor = InferInput(target.input, [1, 1], "BYTES")
    tensor.set_data_from_numpy(np.array([[target.row]], dtype=object), binary_data=True)
    return InferRequest(model_name=target.model, infer_inputs=[tensor])


def instance(target: Target) -> object:
    if target.is_text:
        return target.row.decode()
    return {"b64": base64.b64encode(target.row).decode()}


def infer(target: Target, request: InferRequest, model: str = "") -> Any:
    asked = client("v2").infer(
        url(target), request, model_name=model or target.model, headers=target.headers
    )
    return run(asked)


def error_of(call: Any) -> str:
    try:
        call()
    except httpx.HTTPStatusError as error:
        return str(error)
    raise AssertionError("was not refused")


@check
def v2_live(target: Target) -> None:
    assert run(client("v2").is_server_live(url(target))) is True


@check
def v2_ready(target: Target) -> None:
    assert run(client("v2").is_server_ready(url(target))) is True


@check
def v2_model_ready(target: Target) -> None:
    ready = client("v2").is_model_ready(url(target), target.model, headers=target.headers)
    assert run(ready) is True


@check
def v2_json_infer(target: Target) -> None:
    answer = infer(target, json_request(target))
    assert answer.id == "id-1"
    assert answer.outputs[0].shape[0] == 1
    assert len(answer.outputs[0].as_numpy()) == 1


@check
def v2_binary_infer(target: Target) -> None:
    answer = infer(target, binary_request(target))
    assert len(answer.outputs[0].as_numpy()) == 1


@check
def v2_unknown_model_is_404_with_its_error(target: Target) -> None:
    message = error_of(lambda: infer(target, json_request(target), UNKNOWN))
    assert "404" in message, message
    assert not message.startswith(","), "the error was not read"


@check
def v1_live(target: Target) -> None:
    assert run(client("v1").is_server_live(url(target))) is True


@check
def v1_model_ready(target: Target) -> None:
    ready = client("v1").is_model_ready(url(target), target.model, headers=target.headers)
    assert run(ready) is True


@check
def v1_predict(target: Target) -> None:
    asked = client("v1").infer(
        url(target),
        {"instances": [instance(target)] * 2},
        model_name=target.model,
        headers=target.headers,
    )
    assert len(run(asked)["predictions"]) == 2


if __name__ == "__main__":
    check.main()
