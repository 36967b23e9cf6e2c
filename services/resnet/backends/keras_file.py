"""A Keras file (.keras), without any code of its own."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any, Final, cast

from services.resnet.backends.backend import BackendUnavailable, first_line
from services.resnet.backends.keras_library import keras
from services.resnet.backends.tensorflow_runtime import Placement, TensorFlowBackend, prepare, tf
from services.resnet.network_files import NetworkFiles

_CONFIG: Final = "config.json"
_LARGEST_CONFIG: Final = 64 << 20


def open_keras(files: NetworkFiles, placement: Placement) -> TensorFlowBackend:
    """Load model.keras.

    Raises BackendUnavailable when it is missing, is no Keras file, holds Python code or another
    number of inputs and outputs than one.
    """
    prepare(placement)
    network = read_keras(files.keras_path)
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise BackendUnavailable(f"{files.keras_path}: has not one input and one output")
    shape = [None, *network.inputs[0].shape[1:]]

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32)], autograph=False)
    def run(batch: Any) -> Any:
        return network(batch, training=False)

    return TensorFlowBackend("keras", run, placement)


def read_keras(path: Path) -> Any:
    """Load a Keras file in Keras's safe mode, without what only training needs.

    Raises BackendUnavailable as `open_keras` does.
    """
    if not path.is_file():
        raise BackendUnavailable(f"{path}: is missing; fetch it with --framework keras")
    _refuse_code(path)
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # noqa: BLE001  # Keras raises many types; each means the same here
        raise BackendUnavailable(f"{path}: cannot be loaded ({first_line(error)})") from None


def _refuse_code(path: Path) -> None:
    """Refuse layers of marshalled Python (Lambda) by name, before Keras looks at them."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(_CONFIG).file_size > _LARGEST_CONFIG:
                raise BackendUnavailable(f"{path}: its {_CONFIG} is too large")
            config: object = json.loads(archive.read(_CONFIG))
    except (zipfile.BadZipFile, KeyError, ValueError, OSError):
        raise BackendUnavailable(f"{path}: is not a Keras file (.keras)") from None
    if "Lambda" in _classes(config):
        raise BackendUnavailable(
            f"{path}: has a Lambda layer, which is Python code, and is not loaded; use layers of "
            "Keras's own"
        )


def _classes(config: object) -> set[str]:
    """Every "class_name" and "class" in a configuration."""
    found: set[str] = set()
    parts = [config]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            entries = cast("dict[str, object]", part)
            found |= {
                str(value) for key, value in entries.items() if key in ("class_name", "class")
            }
            parts += entries.values()
        elif isinstance(part, list):
            parts += cast("list[object]", part)
    return {name.rsplit(">", 1)[-1] for name in found} | (
        {"Lambda"} if any("__lambda__" in name for name in found) else set()
    )
