"""`convert`: a fetched network into Keras's or TensorFlow's form, with the same answers."""

from __future__ import annotations

import shutil
import sys

from services.resnet.classifier_folder import (
    GOLDEN_FILE,
    KIND,
    LABELS_FILE,
    TRANSFORM_FILE,
    read_classifier_folder,
)
from services.resnet.network_files import NetworkFiles
from services.resnet.proof import ProofFailed, reproduce
from services.resnet.settings import ConvertSettings
from services.serving.command_line import CommandFailed
from services.serving.model_folder import (
    ModelFolderError,
    new_model_folder,
    refuse_foreign_folder,
    refuse_overlap,
)


def convert(settings: ConvertSettings) -> None:
    """Write a model folder whose network was converted from the ONNX graph of another's.

    Labels, preprocessing and golden answer are those of the source: the converted network must give
    the answer that the source's own library gave, and proves it again whenever it starts.

    Raises CommandFailed with one line when the source has no graph or would be replaced, the graph
    has a part without a counterpart, or the answers differ.
    """
    _check_destination(settings)
    try:
        from services.resnet.keras_conversion import NotConvertible, keras_of_onnx
        from services.resnet.keras_files import write_network
    except ImportError as error:
        raise CommandFailed(
            f"convert needs the package {error.name}; install "
            "services/resnet/requirements-tensorflow.txt"
        ) from None
    try:
        source = read_classifier_folder(settings.source)
        if not source.onnx_path.is_file():
            raise CommandFailed(f"{source.onnx_path}: is missing; fetch the model with --onnx")
        network = keras_of_onnx(source.onnx_path)
        with new_model_folder(
            settings.model, kind=KIND, name=source.manifest.name, version=source.manifest.version
        ) as draft:
            for part in (LABELS_FILE, TRANSFORM_FILE, GOLDEN_FILE):
                shutil.copyfile(source.path / part, draft.folder / part)
            write_network(network, draft.folder, settings.framework)
            files = NetworkFiles(draft.folder, "")
            parity = reproduce(files, settings.framework, source.golden)
            draft.details |= {
                "converted_from": source.manifest.sha256,
                "parity": parity,
                **{
                    key: value
                    for key, value in source.manifest.details.items()
                    if key in ("architecture", "output", "parameters", "source", "source_sha256")
                },
            }
    except (NotConvertible, ProofFailed) as error:
        raise CommandFailed(f"{settings.source}: cannot be converted: {error}") from None
    except ModelFolderError as error:
        raise CommandFailed(str(error)) from None
    print(f"{settings.model}: converted to {settings.framework}", file=sys.stderr)


def _check_destination(settings: ConvertSettings) -> None:
    """Refuse a destination before the libraries are imported, which takes seconds."""
    try:
        refuse_overlap(settings.model, settings.source)
        refuse_foreign_folder(settings.model, KIND)
    except ModelFolderError as error:
        raise CommandFailed(str(error)) from None
