"""The model folder: what `fetch` writes and `serve` reads, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from services.resnet.golden import Golden, GoldenError, read_golden
from services.resnet.labels import Label, LabelsError, read_labels
from services.resnet.transform import Transform, TransformError, read_transform
from services.serving.model_folder import Manifest, ModelFolderError, read_model_folder

KIND: Final = "picture-classifier"
STATE_FILE: Final = "model.safetensors"
ONNX_FILE: Final = "model.onnx"
LABELS_FILE: Final = "labels.json"
TRANSFORM_FILE: Final = "preprocessing.json"
GOLDEN_FILE: Final = "golden.npz"


@dataclass(frozen=True)
class ClassifierFolder:
    """A verified model folder, read but for its weights."""

    path: Path
    manifest: Manifest
    transform: Transform
    labels: tuple[Label, ...]
    golden: Golden

    @property
    def architecture(self) -> str:
        """The name that `fetch --architecture` was given."""
        return str(_detail(self.manifest, "architecture"))

    @property
    def onnx_path(self) -> Path:
        """Where the ONNX graph is, if the folder holds one."""
        return self.path / ONNX_FILE

    @property
    def state_path(self) -> Path:
        """Where torch's parameters and buffers are."""
        return self.path / STATE_FILE


def read_classifier_folder(path: Path) -> ClassifierFolder:
    """Verify every file of a model folder against its manifest and read it.

    Raises ModelFolderError, naming the file, for one that is missing, damaged, changed, or at odds
    with the others.
    """
    manifest = read_model_folder(path, kind=KIND)
    for required in (STATE_FILE, LABELS_FILE, TRANSFORM_FILE, GOLDEN_FILE):
        if required not in manifest.files:
            raise ModelFolderError(path / required, "is not part of this model; fetch it again")
    folder = ClassifierFolder(
        path=path,
        manifest=manifest,
        transform=_read(read_transform, path / TRANSFORM_FILE),
        labels=_read(read_labels, path / LABELS_FILE),
        golden=_read(read_golden, path / GOLDEN_FILE),
    )
    _check_consistency(folder)
    return folder


def _read(reader: Any, path: Path) -> Any:
    try:
        return reader(path)
    except (TransformError, LabelsError, GoldenError) as error:
        raise ModelFolderError(path, str(error)) from None


def _check_consistency(folder: ClassifierFolder) -> None:
    crop = folder.transform.crop
    if folder.golden.batch.shape != (1, 3, crop, crop):
        raise ModelFolderError(folder.path / GOLDEN_FILE, f"is not for pictures of {crop} x {crop}")
    if folder.golden.logits.shape != (1, len(folder.labels)):
        raise ModelFolderError(folder.path / LABELS_FILE, "does not have one label for each output")
    if not _detail(folder.manifest, "architecture"):
        raise ModelFolderError(folder.path, "does not say which architecture it holds")


def _detail(manifest: Manifest, name: str) -> object:
    return manifest.details.get(name, "")
