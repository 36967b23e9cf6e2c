"""The picture transform that belongs to a set of weights, as data that needs no torch to read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Interpolation = Literal["nearest", "bilinear", "bicubic"]
Side = Annotated[int, Field(ge=1, le=4096)]
Channels = tuple[float, float, float]


class TransformError(Exception):
    """preprocessing.json cannot be read as a transform; the message is one line."""


class Transform(BaseModel):
    """Resize the shorter side, crop the centre, scale to 0..1, normalise.

    This is the evaluation transform of torchvision
    (`torchvision.transforms._presets.ImageClassification`); mean and deviation are for channels
    scaled to 0..1, in the order red, green, blue.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    resize: Side
    crop: Side
    interpolation: Interpolation
    mean: Annotated[Channels, Field(strict=False)]
    standard_deviation: Annotated[Channels, Field(strict=False)]

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
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise TransformError(f"{path.name}: {where}: {first['msg']}") from None
