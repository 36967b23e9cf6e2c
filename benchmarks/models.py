"""The models that benchmarks serve, made once and kept under .bench/."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from services.serving.model_folder import ModelFolderError, read_model_folder

ROOT = Path(__file__).parent.parent
KEPT = ROOT / ".bench"


def faq_model() -> Path:
    """The FAQ model of the repository's corpus."""
    data = str(ROOT / "services" / "faq" / "corpus")
    return _model("faq", "faq", "train", "--data", data)


def resnet152_model() -> Path:
    """ResNet-152 with seeded weights: as fast as the trained ones, and needs no download."""
    return _model("resnet152", "resnet", "fetch", "--weights", "seeded", "--no-progress")


def _model(name: str, service: str, *command: str) -> Path:
    folder = KEPT / name
    try:
        read_model_folder(folder, kind=service)
    except ModelFolderError:
        KEPT.mkdir(exist_ok=True)
        arguments = [sys.executable, "-m", f"services.{service}", *command, "--model", str(folder)]
        subprocess.run(arguments, cwd=ROOT, check=True, stdout=sys.stderr)
    return folder
