"""The models that benchmarks serve, made once and kept under .bench/."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
    folder = KEPT / "resnet152"
    try:
        read_classifier_folder(folder)
    except ModelFolderError:
        _run("services.resnet", "fetch", "--weights", "seeded", "--model", str(folder))
    return folder


def small_image_model() -> Path:
    """EfficientNet-Lite0 with its trained weights, which a package brings: small, and real."""
    folder = KEPT / "efficientnet_lite0"
    try:
        read_classifier_folder(folder)
    except ModelFolderError:
        _run("services.resnet", "fetch", "--architecture", folder.name, "--model", str(folder))
    return folder


def _run(module: str, *arguments: str) -> None:
    KEPT.mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, check=True, stdout=sys.stderr
    )
