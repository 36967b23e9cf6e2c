"""Keras's picture classifiers that are trained on ImageNet-1K, and the transform of each."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Final

from services.resnet.transform import Transform


class UnknownApplication(Exception):
    """There is no such application; one line with the close names."""


@dataclass(frozen=True)
class Application:
    """A function of `keras.applications` and what belongs to its weights."""

    builder: str
    transform: Transform


# What `preprocess_input` of each application's module does to a picture of 0 to 255
# (keras/src/applications/imagenet_utils.py and the module's own; the newer networks have it
# inside). Applications are evaluated on the central crop of 224 of 256, or as large a share of it.
_CAFFE: Final = Transform(
    resize=256,
    crop=224,
    interpolation="bilinear",
    mean=(103.939, 116.779, 123.68),
    standard_deviation=(1, 1, 1),
    channels="BGR",
    layout="NHWC",
    divisor=1,
)
_TF: Final = Transform(
    resize=256,
    crop=224,
    interpolation="bilinear",
    mean=(1, 1, 1),
    standard_deviation=(1, 1, 1),
    layout="NHWC",
    divisor=127.5,
)
_TORCH: Final = Transform(
    resize=256,
    crop=224,
    interpolation="bilinear",
    mean=(0.485, 0.456, 0.406),
    standard_deviation=(0.229, 0.224, 0.225),
    layout="NHWC",
)
_INSIDE: Final = _TF.model_copy(update={"mean": (0.0, 0.0, 0.0), "divisor": 1.0})
_TF_299: Final = _TF.model_copy(update={"resize": 342, "crop": 299})

APPLICATIONS: Final[dict[str, Application]] = {
    "densenet121": Application("DenseNet121", _TORCH),
    "densenet169": Application("DenseNet169", _TORCH),
    "densenet201": Application("DenseNet201", _TORCH),
    "efficientnet_b0": Application("EfficientNetB0", _INSIDE),
    "inception_v3": Application("InceptionV3", _TF_299),
    "mobilenet": Application("MobileNet", _TF),
    "mobilenet_v2": Application("MobileNetV2", _TF),
    "resnet50": Application("ResNet50", _CAFFE),
    "resnet101": Application("ResNet101", _CAFFE),
    "resnet152": Application("ResNet152", _CAFFE),
    "resnet50_v2": Application("ResNet50V2", _TF),
    "resnet101_v2": Application("ResNet101V2", _TF),
    "resnet152_v2": Application("ResNet152V2", _TF),
    "vgg16": Application("VGG16", _CAFFE),
    "vgg19": Application("VGG19", _CAFFE),
    "xception": Application("Xception", _TF_299),
}


def application(name: str) -> Application:
    """Find an application by name.

    Raises UnknownApplication for a name that is not known, listing the close ones.
    """
    if name in APPLICATIONS:
        return APPLICATIONS[name]
    close = difflib.get_close_matches(name, APPLICATIONS, n=6, cutoff=0.5) or list(APPLICATIONS)
    raise UnknownApplication(
        f"there is no application of Keras called {name[:60]!r} here; try {', '.join(close)}"
    )
