"""`POST /score`: the predecessor's request and response, for its clients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from services.resnet.labels import Label
from services.resnet.preprocessing import Tensor
from services.resnet.received_picture import from_predecessor_base64
from services.resnet.top_classes import top_classes
from services.serving.brevity import leave_several_to_a_thread
from services.serving.model import Call, Operation, Timing, json_operation
from services.serving.problem import Problem

PATH: Final = "/score"
MOST_PICTURES: Final = 8
CLASSES: Final = 3

PictureName = Annotated[str, Field(max_length=200)]
LabelledScore = list[str | float]
Pictures = dict[str, list[LabelledScore]]


class ScoreRequest(BaseModel):
    """Named pictures, each a PNG, JPEG, WebP, GIF or BMP file in base64."""

    model_config = ConfigDict(strict=True)

    input: dict[PictureName, str] = Field(min_length=1, max_length=MOST_PICTURES)


class ScoreResponse(BaseModel):
    """The three most probable classes of each picture, then "Computed in N ms"."""

    result: list[Pictures | str] = Field(min_length=2, max_length=2)


def score_operation(
    preprocess: Callable[[bytes], Tensor], labels: Sequence[Label]
) -> Operation[Tensor, Tensor]:
    """Describe the operation; `preprocess` makes the network's input of a picture's bytes."""

    def prepare(request: ScoreRequest) -> Call[Tensor, Tensor]:
        names = list(request.input)
        leave_several_to_a_thread(len(names))
        items = [
            _named(preprocess, text, position, len(names))
            for position, text in enumerate(request.input.values(), start=1)
        ]

        def render(outputs: Sequence[Tensor], timing: Timing) -> dict[str, object]:
            scored = {
                name: _labelled(output, labels) for name, output in zip(names, outputs, strict=True)
            }
            return {"result": [scored, f"Computed in {round(timing.elapsed_ms, 2)} ms"]}

        return Call(items, render)

    return json_operation(
        path=PATH,
        operation_id="score",
        summary="Classify pictures as the predecessor did",
        description=(
            f"Up to {MOST_PICTURES} named pictures in base64; of each, the {CLASSES} most probable "
            "classes with their WordNet identifiers. New clients use /v1/classify, which takes the "
            "file itself."
        ),
        request=ScoreRequest,
        response=ScoreResponse,
        prepare=prepare,
    )


def _named(preprocess: Callable[[bytes], Tensor], text: str, position: int, count: int) -> Tensor:
    try:
        return preprocess(from_predecessor_base64(text))
    except Problem as problem:
        if count == 1:
            raise
        # By position: the name is the client's own text.
        detail = f"Picture {position} of {count}: {problem.detail}"
        raise Problem(problem.status, detail, headers=problem.headers) from None


def _labelled(probabilities: Tensor, labels: Sequence[Label]) -> list[LabelledScore]:
    return [
        [labels[index].predecessor_text, float(probabilities[index])]
        for index in top_classes(probabilities, CLASSES).tolist()
    ]
