"""What NVIDIA's Triton client finds: ``.venvs/tritonclient/bin/python tritonclient_checks.py …``."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import numpy as np
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from check_list import CheckList, Target
from tritonclient.utils import InferenceServerException

check = CheckList()
UNKNOWN = "no-such-model"


def client(target: Target) -> triton.InferenceServerClient:
    return triton.InferenceServerClient(target.address, connection_timeout=30, network_timeout=30)


def rows(target: Target, count: int = 1, **how: Any) -> list[triton.InferInput]:
    values = np.array([[target.row]] * count, dtype=object)
    tensor = triton.InferInput(target.input, list(values.shape), "BYTES")
    return [tensor.set_data_from_numpy(values, **how)]


def text_rows(target: Target) -> list[triton.InferInput]:
    """One row within JSON, where bytes that are no text must be base64."""
    if target.is_text:
        return rows(target, binary_data=False)
    values = np.array([[base64.b64encode(target.row)]], dtype=object)
    tensor = triton.InferInput(target.input, list(values.shape), "BYTES")
    tensor.set_data_from_numpy(values, binary_data=False)
    # The client has no method for an input's own parameters.
    tensor._parameters["content_type"] = "base64"
    return [tensor]


def first_output(target: Target) -> dict[str, Any]:
    return client(target).get_model_metadata(target.model, headers=target.headers)["outputs"][0]


def scored(target: Target, inputs: list[triton.InferInput], **how: Any) -> triton.InferResult:
    return client(target).infer(target.model, inputs, headers=target.headers, **how)


def refused(call: Any) -> InferenceServerException:
    try:
        call()
    except InferenceServerException as error:
        refusal = error
    else:
        raise AssertionError("was not refused")
    assert refusal.message() not in (None, "", "None"), "the error says nothing"
    return refusal


@check
def live(target: Target) -> None:
    assert client(target).is_server_live()


@check
def ready(target: Target) -> None:
    assert client(target).is_server_ready()


@check
def model_ready(target: Target) -> None:
    assert client(target).is_model_ready(target.model, headers=target.headers)
    assert not client(target).is_model_ready(UNKNOWN, headers=target.headers)


@check
def server_metadata(target: Target) -> None:
    metadata = client(target).get_server_metadata(headers=target.headers)
    assert metadata["name"]
    assert metadata["version"]


@check
def model_metadata(target: Target) -> None:
    metadata = client(target).get_model_metadata(target.model, headers=target.headers)
    assert [each["name"] for each in metadata["inputs"]] == [target.input]
    assert all(each["datatype"] and each["shape"] for each in metadata["outputs"])


@check
def model_config(target: Target) -> None:
    config = client(target).get_model_config(target.model, headers=target.headers)
    assert config["max_batch_size"] >= 1
    assert [each["name"] for each in config["input"]] == [target.input]


@check
def versions(target: Target) -> None:
    metadata = client(target).get_model_metadata(target.model, headers=target.headers)
    version = metadata["versions"][0]
    assert client(target).is_model_ready(target.model, version, headers=target.headers)
    answer = scored(target, rows(target), model_version=version).get_response()
    assert answer["model_version"] == version
    refused(lambda: scored(target, rows(target), model_version="999999"))


@check
def json_infer(target: Target) -> None:
    name = first_output(target)["name"]
    wanted = [triton.InferRequestedOutput(name, binary_data=False)]
    result = scored(target, text_rows(target), outputs=wanted, request_id="id-1")
    output = result.get_output(name)
    assert "binary_data_size" not in output.get("parameters", {})
    assert result.as_numpy(name).shape == tuple(output["shape"])
    assert result.get_response()["id"] == "id-1"


@check
def binary_infer(target: Target) -> None:
    expected = first_output(target)
    result = scored(target, rows(target))
    output = result.get_output(expected["name"])
    assert output["parameters"]["binary_data_size"] > 0
    assert output["datatype"] == expected["datatype"]
    assert result.as_numpy(expected["name"]).shape == tuple(output["shape"])


@check
def batch_infer(target: Target) -> None:
    name = first_output(target)["name"]
    result = scored(target, rows(target, 3)).as_numpy(name)
    assert len(result) == 3
    assert (result[0] == result[2]).all()


@check
def binary_and_json_agree(target: Target) -> None:
    name = first_output(target)["name"]
    answers = [
        scored(target, rows(target), outputs=[triton.InferRequestedOutput(name, binary_data=each)])
        for each in (True, False)
    ]
    first, second = (answer.as_numpy(name) for answer in answers)
    assert first.shape == second.shape
    if first.dtype == object:
        assert [str(x, "utf-8") for x in first.ravel()] == [str(x) for x in second.ravel()]
    else:
        assert np.allclose(first, second)


@check
def unknown_model(target: Target) -> None:
    error = refused(lambda: client(target).infer(UNKNOWN, rows(target), headers=target.headers))
    assert "404" in str(error.status()), error.status()


@check
def unknown_output(target: Target) -> None:
    outputs = [triton.InferRequestedOutput("no-such-output")]
    refused(lambda: scored(target, rows(target), outputs=outputs))


@check
def wrong_datatype(target: Target) -> None:
    tensor = triton.InferInput(target.input, [1, 1], "INT32")
    tensor.set_data_from_numpy(np.zeros((1, 1), np.int32))
    error = refused(lambda: scored(target, [tensor]))
    assert "400" in str(error.status()), error.status()


@check
def gzip_request(target: Target) -> None:
    assert scored(target, rows(target), request_compression_algorithm="gzip").get_response()


@check
def deflate_request(target: Target) -> None:
    assert scored(target, rows(target), request_compression_algorithm="deflate").get_response()


@check
def gzip_response(target: Target) -> None:
    name = first_output(target)["name"]
    result = scored(target, rows(target), response_compression_algorithm="gzip")
    assert len(result.as_numpy(name)) == 1


@check
def classification(target: Target) -> None:
    config = client(target).get_model_config(target.model, headers=target.headers)
    numbers = [each["name"] for each in config["output"] if each["data_type"] == "TYPE_FP32"]
    if not numbers:
        return
    outputs = [triton.InferRequestedOutput(numbers[0], class_count=3)]
    (best,) = scored(target, rows(target), outputs=outputs).as_numpy(numbers[0])
    values = [float(each.decode().split(":")[0]) for each in best]
    assert len(best) == 3
    assert values == sorted(values, reverse=True)
    assert all(each.decode().split(":")[1].isdigit() for each in best)


@check
def asynchronous_infer(target: Target) -> None:
    pending = client(target).async_infer(target.model, rows(target), headers=target.headers)
    assert pending.get_result().get_response()["outputs"]


@check
def aio(target: Target) -> None:
    async def several() -> None:
        async with triton_aio.InferenceServerClient(target.address) as each:
            assert await each.is_server_live()
            assert await each.is_server_ready()
            assert await each.is_model_ready(target.model, headers=target.headers)
            assert await each.get_model_config(target.model, headers=target.headers)
            results = await asyncio.gather(
                *(each.infer(target.model, rows(target), headers=target.headers) for _ in range(4))
            )
            assert all(result.get_response()["outputs"] for result in results)

    asyncio.run(several())


if __name__ == "__main__":
    check.main()
