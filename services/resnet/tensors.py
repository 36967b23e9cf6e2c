"""The picture classifier as tensors: encoded pictures or pixels in, probabilities out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from services.resnet.classify import MOST_CLASSES, most_probable
from services.resnet.decoding import picture_format
from services.resnet.labels import Label
from services.resnet.preprocessing import Tensor as Pixels
from services.resnet.transform import Transform
from services.serving.brevity import leave_several_to_a_thread
from services.serving.problem import Problem
from services.serving.protocols.json_data import BASE64_FIELD
from services.serving.protocols.signature import (
    RequestParameters,
    Tensor,
    TensorInterface,
    TensorSpec,
)

MOST_PICTURES: Final = 16
"""Largest batch of one request."""

PICTURE: Final = TensorSpec("image", "BYTES", (-1, 1))
PIXELS: Final = "pixels"
PROBABILITIES: Final = "probabilities"

_SMALLEST_PNG: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP436AAAAQhAaBzQuE8AAAAAElFTkSuQmCC"
)
"""A picture of one orange pixel, in base64."""


class ResnetParameters(RequestParameters):
    """How much to answer in v1; v2 has the classification extension for that."""

    top_k: int = Field(5, ge=1, le=MOST_CLASSES, description="classes of each picture")


def resnet_tensors(
    preprocess: Callable[[bytes], Pixels], transform: Transform, labels: Sequence[Label]
) -> TensorInterface[Pixels, Pixels]:
    """Describe the tensors.

    A request sends `image`, the files; or `pixels`, float32 [rows, 3, crop, crop] (or [rows, crop,
    crop, 3]), as `preprocess` would make them.
    """
    names = [label.label for label in labels]

    def prepare(tensor: Tensor) -> Sequence[Pixels]:
        if tensor.name == PIXELS:
            return _finite(tensor.values)
        elements = tensor.elements()
        leave_several_to_a_thread(len(elements))
        return [preprocess(_file(element)) for element in elements]

    def render(outputs: Sequence[Pixels], _: ResnetParameters) -> dict[str, NDArray[Any]]:
        return {PROBABILITIES: np.stack(outputs)}

    def predict(output: Pixels, parameters: ResnetParameters) -> object:
        return most_probable(output, labels, parameters.top_k)

    return TensorInterface(
        inputs=(PICTURE, _pixels(transform)),
        outputs=(TensorSpec(PROBABILITIES, "FP32", (-1, len(labels)), labels=names),),
        prepare=prepare,
        render=render,
        predict=predict,
        parameters=ResnetParameters,
        most_rows=MOST_PICTURES,
        example={BASE64_FIELD: _SMALLEST_PNG},
    )


def _pixels(transform: Transform) -> TensorSpec:
    return TensorSpec(PIXELS, "FP32", (-1, *transform.shape), layout=f"FORMAT_{transform.layout}")


def _finite(pixels: Pixels) -> Sequence[Pixels]:
    if not np.isfinite(pixels).all():
        raise Problem(400, f"The input {PIXELS} holds values that are not finite.")
    return list(pixels)


def _file(element: bytes) -> bytes:
    """The picture's file. TorchServe's clients send base64 without saying so; no file looks so."""
    if not element:
        raise Problem(400, "The input image holds no picture.")
    if picture_format(element) is not None:
        return element
    try:
        return base64.b64decode(element, validate=True)
    except (binascii.Error, ValueError):
        return element
