"""From the bytes of a picture to opaque, upright RGB pixels, within limits."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from services.serving.brevity import TakesLong
from services.serving.problem import Problem

ACCEPTED_FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP")

# Each plugin registers itself when it is imported; without this the first WebP would make Pillow
# import all of its plugins.
_PLUGINS: Final = (
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

_SIGNATURES: Final = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
)
_ORIENTATION_TAG: Final = 0x0112
_UPRIGHT_BY_ORIENTATION: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIXTEEN_BIT_MODES: Final = ("I", "I;16", "I;16B", "I;16L", "I;16N")

# A progressive JPEG paints the whole picture once per scan: a few bytes a scan buy seconds of work.
# Encoders write about ten.
_MAX_JPEG_SCANS: Final = 100

# Transparent PNGs take longest: 13 ns a pixel. A scan of a JPEG takes a quarter of that.
_BRIEF_PIXELS: Final = 2_000_000
_SCANS_LIKE_A_PICTURE: Final = 4

# Each of these in a PNG may be a megabyte once it is inflated, which is done before the size is known.
_COMPRESSED_METADATA: Final = (b"iCCP", b"zTXt", b"iTXt")
_BRIEF_METADATA: Final = 3

# Sizes are checked here, by limits that may be above the one that Pillow warns of; its warnings of
# odd metadata in a good picture would let clients write to the log.
warnings.filterwarnings("ignore", module=r"PIL\b")


@dataclass(frozen=True)
class PictureLimits:
    """The largest picture that is decoded: pixels in all, and pixels along either side."""

    pixels: int = 25_000_000
    side: int = 16_384


def picture_format(body: bytes) -> str | None:
    """Name the accepted format that the first bytes of `body` announce; None for any other."""
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "WEBP"
    return next((name for signature, name in _SIGNATURES if body.startswith(signature)), None)


def decode(
    body: bytes, limits: PictureLimits, *, shorter_side: int, brief: bool = False
) -> Image.Image:
    """Decode the first frame of a picture to upright RGB pixels; transparency is laid on white.

    A JPEG far larger than needed is decoded at 1/2, 1/4 or 1/8 of its size (by the decoder's own
    inverse transform), never to less than twice `shorter_side`, so that the resize that follows
    still filters.

    Raises Problem: 415 for what is not a JPEG, PNG, WebP, GIF or BMP; 413 for a picture over
    `limits`; 422 for a damaged one; 503 when memory runs out. Raises TakesLong, if that must be
    `brief`, for one that may take more than some 30 ms.
    """
    format_name = picture_format(body)
    if format_name is None:
        raise Problem(415, "The picture is not a JPEG, PNG, WebP, GIF or BMP file.")
    try:
        return _decoded(body, format_name, limits, shorter_side, brief)
    except (Problem, TakesLong):
        raise
    except MemoryError:
        raise Problem(
            503, "There is no memory to decode this picture now.", retry_after_seconds=1
        ) from None
    except Image.DecompressionBombError:
        raise _too_large(limits) from None
    except Exception:  # noqa: BLE001  # Pillow's plugins raise almost any type on a broken file
        raise Problem(422, "The picture is damaged or cut short and cannot be decoded.") from None


def _decoded(
    body: bytes, format_name: str, limits: PictureLimits, shorter_side: int, brief: bool
) -> Image.Image:
    scans = body.count(b"\xff\xda") if format_name == "JPEG" else 1
    if scans > _MAX_JPEG_SCANS:
        raise Problem(422, f"The JPEG has more than {_MAX_JPEG_SCANS} scans.")
    if brief and format_name == "PNG" and _count_compressed_metadata(body) > _BRIEF_METADATA:
        raise TakesLong
    with Image.open(BytesIO(body), formats=(format_name,)) as image:
        _check_size(image.size, limits)
        pictures = max(1, scans / _SCANS_LIKE_A_PICTURE)
        if brief and image.width * image.height * pictures > _BRIEF_PIXELS:
            raise TakesLong
        if image.tile and image.tile[0].codec_name == "bmp_rle":
            # Pillow decodes these runs in Python: a small file holds the interpreter for seconds.
            raise Problem(422, "A compressed BMP is not accepted; send it as PNG.")
        image.draft(None, (2 * shorter_side, 2 * shorter_side))
        image.load()
        return _upright(_opaque_rgb(image), _orientation(image))


def _count_compressed_metadata(body: bytes) -> int:
    return sum(map(body.count, _COMPRESSED_METADATA))


def _check_size(size: tuple[int, int], limits: PictureLimits) -> None:
    width, height = size
    if min(width, height) < 1:
        raise Problem(422, "The picture has no pixels.")
    if max(width, height) > limits.side or width * height > limits.pixels:
        raise _too_large(limits)


def _too_large(limits: PictureLimits) -> Problem:
    return Problem(
        413,
        f"The picture has more than {limits.pixels:,} pixels, "
        f"or more than {limits.side:,} along one side.",
    )


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # noqa: BLE001  # metadata that cannot be read says nothing about the pixels
        return 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    method = _UPRIGHT_BY_ORIENTATION.get(orientation)
    return image if method is None else image.transpose(method)


def _opaque_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _SIXTEEN_BIT_MODES:
        return _eight_bit_grey(image).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layered = image.convert("RGBA")
    canvas = Image.new("RGB", layered.size, "white")
    canvas.paste(layered, mask=layered.getchannel("A"))
    return canvas


def _eight_bit_grey(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8 bits, as the PNG specification does (13.12); Pillow would clip it."""
    samples = np.clip(np.asarray(image), 0, 65_535).astype(np.uint32)
    grey = ((samples * 255 + 32_767) // 65_535).astype(np.uint8)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey[samples == transparent] = 255
    return Image.fromarray(grey)
