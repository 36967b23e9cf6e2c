"""From the bytes of a picture to the array that a network takes, as its transform says."""

from __future__ import annotations

from contextlib import nullcontext
from threading import BoundedSemaphore
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.resnet.decoding import PictureLimits, decode
from services.resnet.transform import Transform
from services.serving.brevity import must_be_brief

Tensor = NDArray[np.float32]

_RESAMPLING: Final = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}

# Past this ratio of the sides only the part that the crop keeps is resized: a 1 x 5000 picture
# would grow to 232 x 1,160,000.
_LONGEST_RESIZED_WHOLE: Final = 16


class Preprocessor:
    """Decodes and transforms pictures, at most `slots` at a time.

    Many large ones together would exhaust memory: a decode holds up to about 16 bytes a pixel (an
    animated WebP with transparency).
    """

    def __init__(self, transform: Transform, limits: PictureLimits, *, slots: int) -> None:
        self.transform = transform
        self._limits = limits
        self._slots = BoundedSemaphore(slots)

    def __call__(self, body: bytes) -> Tensor:
        """Return the picture as float32 of the transform's shape; waits for a free slot.

        Raises Problem as `decode` does, and TakesLong on an event loop, which takes no slot: the pictures
        that are decoded there are small, and come one by one.
        """
        brief = must_be_brief()
        with nullcontext() if brief else self._slots:
            image = decode(body, self._limits, shorter_side=self.transform.resize, brief=brief)
            return tensor(resized_and_cropped(image, self.transform), self.transform)


def resized_and_cropped(image: Image.Image, transform: Transform) -> Image.Image:
    """Resize an RGB picture and cut the centre out, crop x crop pixels."""
    width, height = _resized_size(image.size, transform)
    left = _centre_offset(width, transform.crop)
    top = _centre_offset(height, transform.crop)
    kept = (left, top, left + transform.crop, top + transform.crop)
    resampling = _RESAMPLING[transform.interpolation]
    if max(width, height) <= _LONGEST_RESIZED_WHOLE * transform.resize:
        return image.resize((width, height), resampling).crop(kept)
    # The same filter on the same source pixels; the box is a 32-bit float, so a value may round to
    # its neighbour (1/255).
    across, down = image.width / width, image.height / height
    box = (kept[0] * across, kept[1] * down, kept[2] * across, kept[3] * down)
    return image.resize((transform.crop, transform.crop), resampling, box=box)


def tensor(image: Image.Image, transform: Transform) -> Tensor:
    """Normalise an RGB picture of crop x crop pixels into float32 of the transform's shape."""
    pixels = np.asarray(image, dtype=np.uint8)
    if transform.channels == "BGR":
        pixels = pixels[:, :, ::-1]
    mean = np.array(transform.mean, dtype=np.float32)
    deviation = np.array(transform.standard_deviation, dtype=np.float32)
    if transform.layout == "NCHW":
        # Before the arithmetic: a quarter as many bytes are moved.
        pixels, mean, deviation = (
            pixels.transpose(2, 0, 1), mean[:, None, None], deviation[:, None, None]
        )  # fmt: skip
    values = pixels.astype(np.float32, order="C")
    # In place: an array for each step would be memory to get, to fill and to give back.
    values /= np.float32(transform.divisor)
    values -= mean
    values /= deviation
    return values


def _resized_size(size: tuple[int, int], transform: Transform) -> tuple[int, int]:
    # Truncated, not rounded, as torchvision does (functional._compute_resized_output_size).
    shorter = transform.resize
    if transform.fit == "stretch":
        return shorter, shorter
    width, height = size
    if width <= height:
        return shorter, int(shorter * height / width)
    return int(shorter * width / height), shorter


def _centre_offset(length: int, crop: int) -> int:
    # Rounded half to even, as torchvision does (functional.center_crop).
    return round((length - crop) / 2)
