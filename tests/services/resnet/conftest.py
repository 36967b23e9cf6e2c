"""Model folders and pictures that the tests of the picture classifier share."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
import sklearn.datasets
from PIL import Image

from services.resnet.classifier_folder import ClassifierFolder, read_classifier_folder
from services.resnet.fetch import fetch
from services.resnet.settings import FetchSettings
from services.resnet.transform import Transform

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Fetch a model once for all tests, also when several processes run them."""
    shared = tmp_path_factory.getbasetemp()
    if shared.name.startswith("popen-"):
        shared = shared.parent

    def folder(architecture: str, weights: str) -> Path:
        model = shared / f"{architecture}-{weights}"
        with (shared / f"{model.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            fetch(FetchSettings(model=model, architecture=architecture, weights=weights))
        return model

    return folder


@pytest.fixture(scope="session")
def lite0_folder(fetched: Callable[[str, str], Path]) -> Path:
    """EfficientNet-Lite0 with its real ImageNet weights."""
    return fetched("efficientnet_lite0", "default")


@pytest.fixture(scope="session")
def seeded_folder(fetched: Callable[[str, str], Path]) -> Path:
    """A small network with seeded weights."""
    return fetched("squeezenet1_1", "seeded")


@pytest.fixture(scope="session")
def lite0(lite0_folder: Path) -> ClassifierFolder:
    return read_classifier_folder(lite0_folder)


@pytest.fixture(scope="session")
def seeded(seeded_folder: Path) -> ClassifierFolder:
    return read_classifier_folder(seeded_folder)


def _sample(name: str) -> bytes:
    return (Path(sklearn.datasets.__file__).parent / "images" / name).read_bytes()


@pytest.fixture(scope="session")
def flower_jpeg() -> bytes:
    """A daisy, 640 x 427."""
    return _sample("flower.jpg")


@pytest.fixture(scope="session")
def china_jpeg() -> bytes:
    """A palace, 640 x 427."""
    return _sample("china.jpg")


@pytest.fixture(scope="session")
def flower(flower_jpeg: bytes) -> Image.Image:
    image = Image.open(BytesIO(flower_jpeg))
    image.load()
    return image


@pytest.fixture(scope="session")
def resnet152_transform() -> Transform:
    """What torchvision says belongs to ResNet152_Weights.IMAGENET1K_V2."""
    return Transform(
        resize=232,
        crop=224,
        interpolation="bilinear",
        mean=IMAGENET_MEAN,
        standard_deviation=IMAGENET_DEVIATION,
    )


@pytest.fixture
def encoded() -> Callable[..., bytes]:
    """Encode a picture to bytes."""

    def encode(image: Image.Image, format_name: str, **options: object) -> bytes:
        buffer = BytesIO()
        image.save(buffer, format_name, **options)
        return buffer.getvalue()

    return encode
