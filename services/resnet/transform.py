"""The picture transform that belongs to a set of weights, as data that needs no torch to read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Interpolation = Literal["nearest", "bilinear", "bicubic"]
Fit = Literal["shorter_side", "stretch"]
ChannelOrder = Literal["RGB", "BGR"]
Layout = Literal["NCHW", "NHWC"]
Side = Annotated[int, Field(ge=1, le=4096)]
Channels = tuple[float, float, float]


class TransformError(Exception):
    """preprocessing.json cannot be read as a transform; the message is one line."""


class Transform(BaseModel):
    """Resize, crop the centre, divide, normalise, and lay the values out.

    Without the last four fields this is the evaluation transform of torchvision
    (`torchvision.transforms._presets.ImageClassification`); with them, those of Keras's
    applications (`keras.applications.imagenet_utils.preprocess_input`) and of most others.

    Attributes:
        resize: pixels of the shorter side, or with `stretch` of both.
        crop: pixels of each side of the square that is cut out of the middle.
        mean, standard_deviation: of values that were divided by `divisor`, in the order of
            `channels`.
        fit: whether the picture keeps its shape when it is resized.
        channels: the order of the channels.
        layout: channels first, [3, crop, crop], or last, [crop, crop, 3].
        divisor: what pixel values, 0 to 255, are divided by.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    resize: Side
    crop: Side
    interpolation: Interpolation
    mean: Annotated[Channels, Field(strict=False)]
    standard_deviation: Annotated[Channels, Field(strict=False)]
    fit: Fit = "shorter_side"
    channels: ChannelOrder = "RGB"
    layout: Layout = "NCHW"
    divisor: Annotated[float, Field(gt=0, le=65_535)] = 255.0

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of one picture."""
        if self.layout == "NHWC":
            return self.crop, self.crop, 3
        return 3, self.crop, self.crop

    @model_validator(mode="after")
    def _is_applicable(self) -> Self:
        if self.crop > self.resize:
            raise ValueError("crop is larger than resize")
        if not all(math.isfinite(value) for value in self.mean):
            raise ValueError("mean is not finite")
        if not all(math.isfinite(value) and value > 0 for value in self.standard_deviation):
            raise ValueError("standard_deviation is not positive")
        return self


def write_transform(transform: Transform, path: Path) -> None:
    """Write `transform` to `path` as JSON."""
    path.write_text(transform.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_transform(path: Path) -> Transform:
    """Read a transform that `write_transform` wrote.

    Raises TransformError when the file is not one.
    """
    try:
        return Transform.model_validate_json(path.read_bytes())
    except OSError as error:
        raise TransformError(
            f"{path.name}: {(error.strerror or 'cannot be read').lower()}"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise TransformError(f"{path.name}: {where}: {first['msg']}") from None
