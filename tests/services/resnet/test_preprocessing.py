"""The network's input equals what torchvision's own transform makes of the picture."""

from __future__ import annotations

import resource
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import nullcontext
from io import BytesIO

import numpy as np
import pytest
import torchvision
from PIL import Image, ImageFile

from services.resnet.decoding import PictureLimits
from services.resnet.preprocessing import Preprocessor, resized_and_cropped
from services.resnet.transform import Transform
from services.resnet.weights import resolve_weights
from services.serving.brevity import TakesLong
from services.serving.problem import Problem
from tests.event_loop import on_an_event_loop

Encode = Callable[..., bytes]
REFERENCE = torchvision.models.ResNet152_Weights.IMAGENET1K_V2.transforms()


@pytest.fixture
def preprocess(resnet152_transform: Transform) -> Preprocessor:
    return Preprocessor(resnet152_transform, PictureLimits(), slots=2)


def reference(body: bytes) -> np.ndarray:
    return REFERENCE(Image.open(BytesIO(body)).convert("RGB")).numpy()


@pytest.mark.parametrize("size", [(640, 427), (427, 640), (224, 224), (100, 333), (901, 700)])
@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
def test_it_equals_torchvision(
    preprocess: Preprocessor,
    flower: Image.Image,
    encoded: Encode,
    size: tuple[int, int],
    format_name: str,
) -> None:
    body = encoded(flower.resize(size), format_name)
    tensor = preprocess(body)
    assert tensor.shape == (3, 224, 224)
    assert tensor.dtype == np.float32
    assert tensor.flags.c_contiguous
    assert np.abs(tensor - reference(body)).max() < 1e-5


@pytest.mark.parametrize(
    "architecture", ["resnet50", "efficientnet_b0", "inception_v3", "vit_b_16", "swin_v2_t"]
)
def test_it_equals_torchvision_for_the_transform_of_other_weights(
    flower_jpeg: bytes, architecture: str
) -> None:
    transform = resolve_weights(architecture, "default").transform
    preset = torchvision.models.get_model_weights(architecture)["DEFAULT"].transforms()
    tensor = Preprocessor(transform, PictureLimits(), slots=1)(flower_jpeg)
    expected = preset(Image.open(BytesIO(flower_jpeg))).numpy()
    assert np.abs(tensor - expected).max() < 1e-5


@pytest.mark.parametrize("size", [(1920, 1080), (4000, 3000)])
def test_a_jpeg_that_is_decoded_smaller_differs_by_next_to_nothing(
    preprocess: Preprocessor, flower: Image.Image, encoded: Encode, size: tuple[int, int]
) -> None:
    body = encoded(flower.resize(size, Image.Resampling.BICUBIC), "JPEG", quality=90)
    assert np.abs(preprocess(body) - reference(body)).mean() < 0.01


def test_of_a_twelve_megapixel_jpeg_a_sixteenth_of_the_pixels_is_decoded(
    preprocess: Preprocessor,
    flower: Image.Image,
    encoded: Encode,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = encoded(flower.resize((4000, 3000)), "JPEG", quality=90)
    decoded: list[tuple[int, int]] = []
    load = ImageFile.ImageFile.load

    def noted(image: Image.Image) -> object:
        decoded.append(image.size)
        return load(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load", noted)
    preprocess(body)

    assert set(decoded) == {(1000, 750)}


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (16_384, 2), (3, 7)])
def test_extreme_shapes_cost_no_memory(
    preprocess: Preprocessor, encoded: Encode, size: tuple[int, int]
) -> None:
    body = encoded(Image.new("RGB", size, (255, 0, 0)), "PNG")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tensor = preprocess(body)
    grown_kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert tensor[0] == pytest.approx((1 - 0.485) / 0.229, abs=1e-5)
    assert grown_kilobytes < 50_000


@pytest.mark.parametrize("size", [(4200, 250), (250, 4200)])
def test_cutting_before_resizing_gives_what_resizing_before_cutting_gives(
    resnet152_transform: Transform, flower: Image.Image, size: tuple[int, int]
) -> None:
    image = flower.resize(size)
    assert max(size) / min(size) > 16
    cut = np.asarray(resized_and_cropped(image, resnet152_transform)).astype(int)
    whole = REFERENCE.__class__(crop_size=224, resize_size=232)
    expected = (whole(image).numpy().transpose(1, 2, 0) * REFERENCE.std + REFERENCE.mean) * 255
    assert np.abs(cut - np.rint(expected)).max() <= 1


def test_no_more_pictures_are_decoded_at_once_than_there_are_slots(
    resnet152_transform: Transform, flower_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most, lock = 0, 0, threading.Lock()
    from services.resnet import preprocessing

    real = preprocessing.decode

    def counted(*arguments: object, **options: object) -> Image.Image:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        try:
            return real(*arguments, **options)
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(preprocessing, "decode", counted)
    preprocess = Preprocessor(resnet152_transform, PictureLimits(), slots=2)
    threads = [threading.Thread(target=preprocess, args=(flower_jpeg,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_a_slot_is_free_again_after_a_refused_picture(preprocess: Preprocessor) -> None:
    for _ in range(5):
        with pytest.raises(Problem):
            preprocess(b"not a picture")


def test_on_an_event_loop_small_pictures_are_decoded(
    preprocess: Preprocessor, flower_jpeg: bytes
) -> None:
    assert np.array_equal(on_an_event_loop(preprocess, flower_jpeg), preprocess(flower_jpeg))


@pytest.mark.parametrize("scans", [0, 40])
def test_there_a_progressive_jpeg_is_decoded_unless_it_has_very_many_scans(
    scans: int, preprocess: Preprocessor, flower: Image.Image, encoded: Encode
) -> None:
    body = encoded(flower, "JPEG", progressive=True)
    last_scan = body[body.rindex(b"\xff\xda") : -2]
    body = body[:-2] + last_scan * scans + body[-2:]
    expectation = pytest.raises(TakesLong) if scans else nullcontext()
    with expectation:
        on_an_event_loop(preprocess, body)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
def test_there_a_large_picture_is_left_to_a_thread(
    format_name: str, preprocess: Preprocessor, encoded: Encode
) -> None:
    body = encoded(Image.new("RGB", (2001, 1000)), format_name)
    for _ in range(3):
        with pytest.raises(TakesLong):
            on_an_event_loop(preprocess, body)
    assert preprocess(body).shape == (3, 224, 224)


def test_there_a_picture_with_much_compressed_metadata_is_left_to_a_thread(
    preprocess: Preprocessor, encoded: Encode
) -> None:
    body = encoded(Image.new("RGB", (9, 9)), "PNG")
    header, rest = body[:33], body[33:]
    text = zlib.compress(bytes(1 << 19))
    chunk = b"zTXt" + b"comment\0\0" + text
    chunk = len(chunk[4:]).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    assert on_an_event_loop(preprocess, header + chunk * 3 + rest).shape == (3, 224, 224)
    with pytest.raises(TakesLong):
        on_an_event_loop(preprocess, header + chunk * 4 + rest)


def test_there_bytes_of_a_jpeg_that_read_like_such_metadata_are_none(
    preprocess: Preprocessor, flower: Image.Image, encoded: Encode
) -> None:
    body = encoded(flower, "JPEG", comment=b"zTXt" * 9)
    assert on_an_event_loop(preprocess, body).shape == (3, 224, 224)


def test_an_event_loop_does_not_wait_for_a_slot(
    resnet152_transform: Transform, flower_jpeg: bytes
) -> None:
    preprocess = Preprocessor(resnet152_transform, PictureLimits(), slots=1)
    with preprocess._slots:
        tensor = on_an_event_loop(preprocess, flower_jpeg)
    assert np.array_equal(tensor, preprocess(flower_jpeg))
