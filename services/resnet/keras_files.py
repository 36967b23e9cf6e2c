"""Writing a network of Keras's as the file or folder that a backend reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from services.resnet.network_files import KERAS_FILE, SAVED_MODEL
from services.resnet.settings import KerasFramework


def write_network(network: Any, folder: Path, framework: KerasFramework) -> None:
    """Write `network` into `folder`: model.keras, or the SavedModel saved_model/."""
    if framework == "keras":
        network.save(folder / KERAS_FILE)
    else:
        network.export(str(folder / SAVED_MODEL), format="tf_saved_model", verbose=False)
