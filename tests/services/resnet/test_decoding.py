"""A picture becomes upright, opaque RGB pixels, or one clear refusal."""

from __future__ import annotations

import struct
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, WebPImagePlugin

from services.resnet.decoding import PictureLimits, decode, picture_format
from services.serving.problem import Problem

LIMITS = PictureLimits()
Encode = Callable[..., bytes]


def pixels(body: bytes, limits: PictureLimits = LIMITS) -> np.ndarray:
    return np.asarray(decode(body, limits, shorter_side=232))


def refusal(body: bytes, limits: PictureLimits = LIMITS) -> int:
    with pytest.raises(Problem) as raised:
        decode(body, limits, shorter_side=232)
    return raised.value.status


def png_chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def png(width: int, height: int, *extra: bytes, rows: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            png_chunk(b"IHDR", header),
            *extra,
            png_chunk(b"IDAT", zlib.compress(rows)),
            png_chunk(b"IEND", b""),
        )
    )


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The formats of the pictures whose pixels were decoded, or were about to be."""
    formats: list[str | None] = []
    for plugin in (ImageFile.ImageFile, WebPImagePlugin.WebPImageFile):
        load = plugin.load

        def noted(image: Image.Image, load: Callable[..., object] = load) -> object:
            formats.append(image.format)
            return load(image)

        monkeypatch.setattr(plugin, "load", noted)
    return formats


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_every_accepted_format_is_decoded(
    flower: Image.Image, encoded: Encode, format_name: str
) -> None:
    body = encoded(flower.resize((64, 43)), format_name)
    assert picture_format(body) == format_name
    assert pixels(body).shape == (43, 64, 3)


@pytest.mark.parametrize(
    "body",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        b"II*\x00" + bytes(64),
        b"%PDF-1.7",
        b"GIF88a" + bytes(64),
        b"RIFF\x00\x00\x00\x00WAVE",
        b"\x00",
    ],
)
def test_what_is_not_a_picture_of_an_accepted_format_is_refused_with_415(body: bytes) -> None:
    assert refusal(body) == 415


def test_a_tiff_is_refused_although_pillow_reads_it(flower: Image.Image, encoded: Encode) -> None:
    assert refusal(encoded(flower, "TIFF")) == 415


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_picture_that_is_cut_short_is_refused_with_422(
    flower: Image.Image, encoded: Encode, format_name: str, kept: float
) -> None:
    body = encoded(flower, format_name)
    assert refusal(body[: int(len(body) * kept)]) == 422


def test_one_pixel_is_a_picture(encoded: Encode) -> None:
    assert pixels(encoded(Image.new("RGB", (1, 1), (9, 8, 7)), "PNG")).tolist() == [[[9, 8, 7]]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_in_the_metadata_is_respected(encoded: Encode, orientation: int) -> None:
    upright = Image.fromarray(np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 10)
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    methods = list(Image.Transpose)
    names = [None, "FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE", "ROTATE_270"]
    names += ["TRANSVERSE", "ROTATE_90"]
    name = names[inverse - 1]
    stored = upright.transpose(next(m for m in methods if m.name == name)) if name else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    body = encoded(stored, "PNG", exif=exif)
    assert np.array_equal(pixels(body), np.asarray(upright))


@pytest.mark.parametrize("metadata", [b"garbage", b"", b"II*\x00\xff\xff\xff\xff", b"MM"])
def test_corrupt_metadata_of_a_png_leaves_it_as_it_is(metadata: bytes) -> None:
    body = png(2, 2, png_chunk(b"eXIf", metadata), rows=bytes(14))
    assert pixels(body).shape == (2, 2, 3)


def test_transparency_is_laid_on_white(encoded: Encode) -> None:
    image = Image.new("RGBA", (2, 1))
    image.putpixel((0, 0), (200, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 128))
    assert pixels(encoded(image, "PNG")).tolist() == [[[255, 255, 255], [127, 127, 127]]]


def test_a_transparent_palette_entry_is_laid_on_white(encoded: Encode) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    body = encoded(image, "PNG", transparency=0)
    assert pixels(body).tolist() == [[[255, 255, 255], [40, 50, 60]]]


def test_grey_with_alpha_is_laid_on_white(encoded: Encode) -> None:
    assert pixels(encoded(Image.new("LA", (1, 1), (0, 0)), "PNG")).tolist() == [[[255, 255, 255]]]


def test_sixteen_bit_grey_is_scaled_not_clipped(encoded: Encode) -> None:
    samples = np.array([[0, 257, 32_768, 65_535]], dtype=np.uint16)
    body = encoded(Image.fromarray(samples), "PNG")
    assert pixels(body)[0, :, 0].tolist() == [0, 1, 128, 255]


def test_sixteen_bit_grey_may_have_a_transparent_value(encoded: Encode) -> None:
    body = encoded(Image.fromarray(np.array([[7, 65_535]], dtype=np.uint16)), "PNG")
    transparent = png_chunk(b"tRNS", struct.pack(">H", 7))
    after_header = 8 + 25
    marked = body[:after_header] + transparent + body[after_header:]
    assert pixels(marked)[0, :, 0].tolist() == [255, 255]


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_bilevel_grey_and_palette_pictures_become_rgb(encoded: Encode, mode: str) -> None:
    body = encoded(Image.new("RGB", (3, 2), "white").convert(mode), "PNG")
    assert (pixels(body) == 255).all()


def test_a_cmyk_jpeg_keeps_its_colours(encoded: Encode) -> None:
    body = encoded(Image.new("RGB", (16, 16), (200, 40, 90)).convert("CMYK"), "JPEG", quality=100)
    assert np.abs(pixels(body)[8, 8].astype(int) - [200, 40, 90]).max() <= 3


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_used(encoded: Encode, format_name: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    options = {"lossless": True} if format_name == "WEBP" else {}
    body = encoded(frames[0], format_name, save_all=True, append_images=frames[1:], **options)
    assert pixels(body)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_a_picture_beyond_the_limit_is_refused_before_it_is_decoded(
    flower: Image.Image, encoded: Encode, loaded: list[str | None], format_name: str
) -> None:
    body = encoded(flower.resize((64, 43)), format_name)
    loaded.clear()
    assert refusal(body, PictureLimits(pixels=64 * 43 - 1)) == 413
    assert loaded == []
    pixels(body)
    assert set(loaded) == {format_name}


def test_a_header_far_beyond_the_limit_is_refused_before_anything_is_decoded(
    loaded: list[str | None],
) -> None:
    assert refusal(png(30_000, 30_000, rows=bytes(1000))) == 413
    assert loaded == []


@pytest.mark.parametrize(("width", "height"), [(6000, 5000), (16_385, 1), (1, 16_385)])
def test_more_than_25_megapixels_or_16384_along_a_side_is_refused(width: int, height: int) -> None:
    assert refusal(png(width, height)) == 413


def test_the_limits_are_settings(encoded: Encode) -> None:
    body = encoded(Image.new("RGB", (20, 10)), "PNG")
    assert pixels(body, PictureLimits(pixels=200, side=20)).shape == (10, 20, 3)
    assert refusal(body, PictureLimits(pixels=199, side=20)) == 413
    assert refusal(body, PictureLimits(pixels=200, side=19)) == 413


def test_a_webp_header_of_the_largest_canvas_is_refused_before_anything_is_decoded(
    loaded: list[str | None],
) -> None:
    canvas = (16_382).to_bytes(3, "little") * 2
    chunk = b"VP8X" + struct.pack("<I", 10) + bytes(4) + canvas
    body = b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk
    assert refusal(body) in (413, 422)
    assert loaded == []


BOMB = zlib.compress(bytes(200 << 20), 9)


@pytest.mark.parametrize(
    "chunk",
    [
        png_chunk(b"zTXt", b"bomb\x00\x00" + BOMB),
        png_chunk(b"iCCP", b"bomb\x00\x00" + BOMB),
        png_chunk(b"iTXt", b"bomb\x00\x01\x00\x00\x00" + BOMB),
    ],
    ids=["zTXt", "iCCP", "iTXt"],
)
def test_a_metadata_bomb_is_not_inflated(chunk: bytes) -> None:
    body = png(2, 2, chunk, rows=bytes(14))
    tracemalloc.start()
    try:
        assert pixels(body).shape == (2, 2, 3)
    except Problem as problem:
        assert problem.status in (413, 422)  # noqa: PT017  # either answer is right if it is cheap
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 20 << 20


def test_a_jpeg_with_hundreds_of_scans_is_refused_unread(
    flower: Image.Image, encoded: Encode
) -> None:
    body = encoded(flower, "JPEG", progressive=True)
    assert pixels(body).shape == (427, 640, 3)
    last_scan = body[body.rindex(b"\xff\xda") : -2]
    assert refusal(body[:-2] + last_scan * 100 + body[-2:]) == 422


def test_a_run_length_encoded_bmp_is_refused_because_it_is_decoded_in_python(
    encoded: Encode,
) -> None:
    body = bytearray(encoded(Image.new("P", (4, 4)), "BMP"))
    pixels_at = struct.unpack_from("<I", body, 10)[0]
    body[30:34] = struct.pack("<I", 1)
    body[pixels_at:] = b"\x04\x00\x00\x00" * 4 + b"\x00\x01"
    assert np.asarray(Image.open(BytesIO(body))).shape == (4, 4)
    assert refusal(bytes(body)) == 422


def test_a_large_jpeg_is_decoded_smaller_but_never_below_twice_the_target(
    flower: Image.Image, encoded: Encode
) -> None:
    image = decode(encoded(flower.resize((4000, 3000)), "JPEG"), LIMITS, shorter_side=232)
    assert image.size == (1000, 750)


def decoded_in_a_process_of_its_own(body: bytes) -> tuple[str, str]:
    """What a service would answer and log: pytest replaces the warning filters of its process."""
    program = (
        "import sys\n"
        "from services.resnet.decoding import PictureLimits, decode\n"
        "from services.serving.problem import Problem\n"
        "try:\n"
        "    body = sys.stdin.buffer.read()\n"
        "    print(decode(body, PictureLimits(), shorter_side=232).size)\n"
        "except Problem as problem:\n"
        "    print(problem.status)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=body, capture_output=True, check=True
    )
    return done.stdout.decode().strip(), done.stderr.decode()


def test_a_picture_that_pillow_only_warns_of_is_refused_without_a_log_line() -> None:
    assert decoded_in_a_process_of_its_own(png(13_000, 7_000)) == ("413", "")


@pytest.mark.parametrize(
    "metadata",
    [b"II*\x00\xff\xff\xff\xff", b"II*\x00\x08\x00\x00\x00\xff\xff\x12\x01", b"garbage", b""],
)
def test_corrupt_metadata_neither_spoils_a_good_picture_nor_reaches_the_log(
    flower: Image.Image, encoded: Encode, metadata: bytes
) -> None:
    body = encoded(flower, "JPEG", exif=b"Exif\x00\x00" + metadata)
    assert decoded_in_a_process_of_its_own(body) == ("(640, 427)", "")


OPEN = settings(max_examples=150, suppress_health_check=list(HealthCheck))


def decoded_or_refused(body: bytes) -> None:
    try:
        decode(body, PictureLimits(pixels=1_000_000), shorter_side=64)
    except Problem as problem:
        assert problem.status in (413, 415, 422)  # noqa: PT017


@OPEN
@given(
    st.sampled_from(
        [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"RIFFxxxxWEBP"]
    ),
    st.binary(max_size=400),
)
def test_random_bytes_are_refused_and_never_raise_anything_else(
    signature: bytes, rest: bytes
) -> None:
    decoded_or_refused(signature + rest)


@OPEN
@given(
    st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP"]),
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), min_size=1, max_size=12),
    st.integers(0, 64),
)
def test_a_damaged_header_is_decoded_or_refused_and_never_raises_anything_else(
    flower_small: Image.Image, format_name: str, damage: list[tuple[int, int]], cut: int
) -> None:
    buffer = BytesIO()
    flower_small.save(buffer, format_name)
    body = bytearray(buffer.getvalue())
    for position, value in damage:
        body[position % len(body)] = value
    decoded_or_refused(bytes(body[: len(body) - cut]))


@pytest.fixture(scope="module")
def flower_small(flower: Image.Image) -> Image.Image:
    return flower.resize((48, 32))
