"""`package`: a network of your own, its labels and its preprocessing, into a model folder."""

from __future__ import annotations

import shutil
import sys
import zipfile
from pathlib import Path
from typing import Final

from services.resnet.classifier_folder import KIND, OUTPUT
from services.resnet.labels import LabelsError, read_label_file
from services.resnet.network_files import (
    KERAS_FILE,
    ONNX_FILE,
    PROGRAM_FILE,
    SAVED_MODEL,
    SCRIPT_FILE,
    Library,
)
from services.resnet.proof import ProofFailed, write_parts
from services.resnet.settings import PackageSettings
from services.resnet.transform import TransformError, read_transform
from services.serving.command_line import CommandFailed
from services.serving.model_folder import (
    ModelFolderError,
    file_sha256,
    new_model_folder,
    refuse_overlap,
)

_READABLE_BY_ALL: Final = 0o644
_SCRIPT_SUFFIXES: Final = (".torchscript.pt", ".torchscript", ".ts", ".pt", ".pth")
_KNOWN: Final = (
    "a Keras file (.keras), a SavedModel (a folder), a file of torch.export (.pt2), TorchScript "
    "(.pt) or ONNX (.onnx)"
)


def package(settings: PackageSettings) -> None:
    """Write the model folder that `settings` describe, after running its network once.

    Raises CommandFailed with one line, and leaves what was there before, when a part cannot be read
    or the parts do not fit together.
    """
    library, name = kind_of(settings.network)
    try:
        labels = read_label_file(settings.labels)
        transform = read_transform(settings.preprocessing)
    except (LabelsError, TransformError) as error:
        raise CommandFailed(str(error)) from None
    try:
        for source in (settings.network, settings.labels, settings.preprocessing):
            refuse_overlap(settings.model, source)
        with new_model_folder(
            settings.model,
            kind=KIND,
            name=settings.name or _stem(settings.network),
            version=settings.version,
        ) as draft:
            destination = draft.folder / name
            _copy(settings.network, destination)
            write_parts(draft.folder, library, transform, labels, output=settings.output)
            draft.details |= {
                "source_file": settings.network.name,
                "source_sha256": file_sha256(destination) if destination.is_file() else "",
                OUTPUT: settings.output,
            }
    except ProofFailed as error:
        raise CommandFailed(f"{settings.network.name}: {error}") from None
    except ModelFolderError as error:
        raise CommandFailed(str(error)) from None
    print(f"{settings.model}: {settings.network.name} packaged for {library}", file=sys.stderr)


def kind_of(network: Path) -> tuple[Library, str]:
    """Tell which library reads a file or folder, and its name within a model folder.

    Raises CommandFailed for what is not there, is of no known kind, or would be unpickled.
    """
    if not network.exists():
        raise CommandFailed(f"{network}: is missing")
    if network.is_dir():
        if (network / "saved_model.pb").is_file():
            return "tensorflow", SAVED_MODEL
        raise CommandFailed(f"{network}: is not a SavedModel; a network is {_KNOWN}")
    name = network.name.lower()
    if name.endswith((".h5", ".hdf5")):
        raise CommandFailed(
            f"{network.name}: HDF5 files can hold Python code that is run when they are read; save "
            "the network as .keras"
        )
    kinds: dict[str, tuple[Library, str]] = {
        ".keras": ("keras", KERAS_FILE),
        ".onnx": ("onnxruntime", ONNX_FILE),
        ".pt2": ("torch", PROGRAM_FILE),
    }
    for suffix, kind in kinds.items():
        if name.endswith(suffix):
            return kind
    if name.endswith(_SCRIPT_SUFFIXES) and _is_torchscript(network):
        return "torch", SCRIPT_FILE
    if name.endswith((*_SCRIPT_SUFFIXES, ".pkl", ".pickle", ".joblib", ".bin", ".ckpt")):
        raise CommandFailed(
            f"{network.name}: pickle can run code when it is read; export the network with "
            "torch.export (.pt2) or to ONNX"
        )
    raise CommandFailed(f"{network.name}: is of no known kind; a network is {_KNOWN}")


def _is_torchscript(path: Path) -> bool:
    """Its archive has the code as text, which an archive of pickled parameters has not."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any("/code/" in name for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def _copy(source: Path, destination: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, destination, copy_function=_copy_file)
        return
    _copy_file(source, destination)
    destination.chmod(_READABLE_BY_ALL)


def _copy_file(source: str | Path, destination: str | Path) -> None:
    """Copy, and fail with no OSError: `copytree` gathers these into one that does not say why."""
    try:
        shutil.copyfile(source, destination)
    except OSError as error:
        raise CommandFailed(f"{source}: cannot be copied: {error.strerror or error}") from None


def _stem(network: Path) -> str:
    return network.name.split(".", 1)[0] or "network"
