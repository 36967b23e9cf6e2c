"""The model folder: what `fetch` and `package` write and `serve` reads, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from services.resnet.golden import Golden, GoldenError, read_golden
from services.resnet.labels import Label, LabelsError, read_labels
from services.resnet.network_files import STATE_FILE, NetworkFiles
from services.resnet.transform import Transform, TransformError, read_transform
from services.serving.model_folder import (
    MANIFEST,
    Manifest,
    ModelFolderError,
    read_model_folder,
)

KIND: Final = "picture-classifier"
LABELS_FILE: Final = "labels.json"
TRANSFORM_FILE: Final = "preprocessing.json"
GOLDEN_FILE: Final = "golden.npz"
OUTPUT: Final = "output"
"""Detail of the manifest: what the network gives, logits (the default) or probabilities."""


@dataclass(frozen=True)
class ClassifierFolder(NetworkFiles):
    """A verified model folder, read but for its weights."""

    manifest: Manifest
    transform: Transform
    labels: tuple[Label, ...]
    golden: Golden

    @property
    def gives_probabilities(self) -> bool:
        """Whether the network ends with its softmax, as most of Keras's do."""
        return self.manifest.details.get(OUTPUT) == "probabilities"


def read_classifier_folder(path: Path) -> ClassifierFolder:
    """Verify every file of a model folder against its manifest and read it.

    Raises ModelFolderError, naming the file, for one that is missing, damaged, changed, or at odds
    with the others.
    """
    manifest = read_model_folder(path, kind=KIND)
    for required in (LABELS_FILE, TRANSFORM_FILE, GOLDEN_FILE):
        if required not in manifest.files:
            raise ModelFolderError(path / required, "is not part of this model; fetch it again")
    folder = ClassifierFolder(
        path=path,
        architecture=str(manifest.details.get("architecture", "")),
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
    transform = folder.transform
    if folder.golden.batch.shape != (1, *transform.shape):
        raise ModelFolderError(
            folder.path / GOLDEN_FILE,
            f"is not for pictures of {transform.crop} x {transform.crop}, {transform.layout}",
        )
    if folder.golden.logits.shape != (1, len(folder.labels)):
        raise ModelFolderError(folder.path / LABELS_FILE, "does not have one label for each output")
    if not folder.libraries():
        raise ModelFolderError(folder.path, "holds no network; fetch or package it again")
    if STATE_FILE in folder.manifest.files and not folder.architecture:
        raise ModelFolderError(folder.path, "does not say which architecture it holds")
    if folder.manifest.details.get(OUTPUT, "logits") not in ("logits", "probabilities"):
        raise ModelFolderError(folder.path / MANIFEST, f"{OUTPUT} is not logits or probabilities")
