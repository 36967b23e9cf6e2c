"""The models that benchmarks serve, made once and kept under .bench/."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.environments import IN_TENSORFLOW, TENSORFLOW
from services.faq.app import load
from services.faq.settings import FaqSettings
from services.resnet.classifier_folder import read_classifier_folder
from services.serving.model_folder import ModelFolderError

ROOT = Path(__file__).parent.parent
KEPT = ROOT / ".bench"


def faq_model() -> Path:
    """The FAQ model of the repository's corpus."""
    folder = KEPT / "faq"
    try:
        load(FaqSettings(model=folder))
    except ModelFolderError:
        data = str(ROOT / "services" / "faq" / "corpus")
        _run("services.faq", "train", "--data", data, "--model", str(folder))
    return folder


def resnet152_model() -> Path:
    """ResNet-152 with seeded weights: as fast as the trained ones, and needs no download."""
    return _fetched("resnet152", "--weights", "seeded")


def small_image_model() -> Path:
    """EfficientNet-Lite0 with its trained weights, which a package brings: small, and real."""
    return _fetched("efficientnet_lite0", "--architecture", "efficientnet_lite0")


def model_for(backend: str, source: Path) -> Path:
    """The network of a model folder in the form that a backend reads.

    For Keras and TensorFlow it is converted, anew when the folder is another.
    """
    if backend not in IN_TENSORFLOW:
        return source
    folder = KEPT / f"{source.name}-{backend}"
    wanted = read_classifier_folder(source).manifest.sha256
    try:
        if read_classifier_folder(folder).manifest.details.get("converted_from") == wanted:
            return folder
    except ModelFolderError:
        pass
    folders = ("--source", str(source.resolve()), "--model", str(folder))
    _run("services.resnet", "convert", *folders, "--framework", backend, python=TENSORFLOW)
    return folder


def _fetched(name: str, *options: str) -> Path:
    folder = KEPT / name
    try:
        read_classifier_folder(folder)
    except ModelFolderError:
        _run("services.resnet", "fetch", *options, "--model", str(folder))
    return folder


def _run(module: str, *arguments: str, python: str | Path = sys.executable) -> None:
    KEPT.mkdir(exist_ok=True)
    subprocess.run([python, "-m", module, *arguments], cwd=ROOT, check=True, stdout=sys.stderr)
