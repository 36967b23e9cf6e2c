"""`POST /v1/classify`: one picture, its most probable classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from services.resnet.labels import Label
from services.resnet.preprocessing import Tensor
from services.resnet.received_picture import FORM_FIELD, from_base64, from_form
from services.resnet.top_classes import top_classes
from services.serving.model import (
    JSON_TYPE,
    Call,
    Incoming,
    MediaType,
    ModelReference,
    Operation,
    Timing,
    parse_json,
    validate,
)
from services.serving.problem import Problem

PATH: Final = "/v1/classify"
MOST_CLASSES: Final = 100
FORM_TYPE: Final = "multipart/form-data"
RAW_TYPES: Final = (
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/gif",
    "image/bmp",
    "application/octet-stream",
)
_FORM_SCHEMA: Final[Mapping[str, object]] = {
    "type": "object",
    "properties": {FORM_FIELD: {"type": "string", "format": "binary"}},
    "required": [FORM_FIELD],
}
_RAW_SCHEMA: Final[Mapping[str, object]] = {"type": "string", "format": "binary"}
_DESCRIPTION: Final = (
    "The picture is a JPEG, PNG, WebP, GIF or BMP file, recognised by its content: the raw body "
    "(image/*, application/octet-stream or no content type), the file in the form field `image`, "
    "or base64 in JSON. Of an animation the first frame is classified; transparency is laid on "
    "white; the orientation in its metadata is respected."
)


class ClassifyQuery(BaseModel):
    """The query string."""

    model_config = ConfigDict(extra="forbid")

    top_k: int = Field(5, ge=1, le=MOST_CLASSES, description="how many classes to return")


class EncodedPicture(BaseModel):
    """A picture within JSON."""

    model_config = ConfigDict(extra="forbid", strict=True)

    b64: str = Field(
        description="the file in base64 (RFC 4648, section 4)",
        json_schema_extra={"contentEncoding": "base64"},
    )


class ClassifyRequest(BaseModel):
    """The JSON body."""

    model_config = ConfigDict(extra="forbid", strict=True)

    image: EncodedPicture


class Prediction(BaseModel):
    """One class and its probability."""

    class_id: int = Field(description="index of the network's output")
    label: str
    score: float = Field(description="probability from 0 to 1; all classes together sum to 1")


class ClassifyResponse(BaseModel):
    """The most probable classes, most probable first."""

    predictions: list[Prediction]
    model: ModelReference


def classify_operation(
    preprocess: Callable[[bytes], Tensor], labels: Sequence[Label], model: ModelReference
) -> Operation[Tensor, Tensor]:
    """Describe the operation; `preprocess` makes the network's input of a picture's bytes."""

    def prepare(incoming: Incoming) -> Call[Tensor, Tensor]:
        query = (
            incoming.query if isinstance(incoming.query, ClassifyQuery) else ClassifyQuery(top_k=5)
        )
        item = preprocess(picture_bytes(incoming))

        def render(outputs: Sequence[Tensor], _: Timing) -> object:
            return {
                "predictions": most_probable(outputs[0], labels, query.top_k),
                "model": {"name": model.name, "version": model.version},
            }

        return Call([item], render)

    return Operation(
        path=PATH,
        operation_id="classify",
        summary="Classify a picture",
        description=_DESCRIPTION,
        accepts={
            **{name: MediaType(_RAW_SCHEMA) for name in RAW_TYPES},
            FORM_TYPE: MediaType(_FORM_SCHEMA),
            JSON_TYPE: MediaType(ClassifyRequest),
        },
        response=ClassifyResponse,
        prepare=prepare,
        query=ClassifyQuery,
    )


def picture_bytes(incoming: Incoming) -> bytes:
    """Return the picture that a request carries, by its content type.

    Raises Problem: 415 for another content type; 400 or 422 for a body that holds no picture.
    """
    if incoming.content_type == JSON_TYPE:
        document = validate(ClassifyRequest, parse_json(incoming.body))
        return _not_empty(from_base64(document.image.b64))
    if incoming.content_type == FORM_TYPE:
        return _not_empty(from_form(incoming.body, incoming.content_type_options))
    if incoming.content_type not in ("", *RAW_TYPES) and not incoming.content_type.startswith(
        "image/"
    ):
        accepted = ", ".join((*RAW_TYPES, FORM_TYPE, JSON_TYPE))
        raise Problem(
            415, "The body must be a picture, a form or JSON.", headers={"Accept": accepted}
        )
    return _not_empty(incoming.body)


def most_probable(
    probabilities: Tensor, labels: Sequence[Label], count: int
) -> list[dict[str, object]]:
    """Describe the `count` most probable classes of `probabilities`, float32 [classes].

    Each as a :class:`Prediction`, which is not made: what is known to be right is not checked.
    """
    best = top_classes(probabilities, count)
    return [
        {"class_id": index, "label": labels[index].label, "score": score}
        for index, score in zip(best.tolist(), probabilities[best].tolist(), strict=True)
    ]


def _not_empty(body: bytes) -> bytes:
    if not body:
        raise Problem(422, "The request holds no picture.")
    return body
