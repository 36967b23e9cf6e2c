"""The files of one network in a model folder: the same network, as each library reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Library = Literal["onnxruntime", "torch", "keras", "tensorflow"]

STATE_FILE: Final = "model.safetensors"
PROGRAM_FILE: Final = "model.pt2"
SCRIPT_FILE: Final = "model.torchscript.pt"
ONNX_FILE: Final = "model.onnx"
KERAS_FILE: Final = "model.keras"
SAVED_MODEL: Final = "saved_model"
SAVED_MODEL_GRAPH: Final = f"{SAVED_MODEL}/saved_model.pb"

FILES: Final[dict[Library, tuple[str, ...]]] = {
    "torch": (STATE_FILE, PROGRAM_FILE, SCRIPT_FILE),
    "onnxruntime": (ONNX_FILE,),
    "keras": (KERAS_FILE,),
    "tensorflow": (SAVED_MODEL_GRAPH,),
}
"""What each library reads, the first that is there."""


@dataclass(frozen=True)
class NetworkFiles:
    """Where the network is, by the library that runs it.

    `architecture` names the network whose parameters `state_path` holds; other files describe their
    network themselves.
    """

    path: Path
    architecture: str

    @property
    def state_path(self) -> Path:
        """Where torch's parameters and buffers are."""
        return self.path / STATE_FILE

    @property
    def program_path(self) -> Path:
        """Where the program is that `torch.export` wrote."""
        return self.path / PROGRAM_FILE

    @property
    def script_path(self) -> Path:
        """Where the TorchScript program is."""
        return self.path / SCRIPT_FILE

    @property
    def onnx_path(self) -> Path:
        """Where the ONNX graph is."""
        return self.path / ONNX_FILE

    @property
    def keras_path(self) -> Path:
        """Where the Keras file is."""
        return self.path / KERAS_FILE

    @property
    def saved_model_path(self) -> Path:
        """Where TensorFlow's SavedModel is, a folder."""
        return self.path / SAVED_MODEL

    def libraries(self) -> tuple[Library, ...]:
        """The libraries that can read what is there."""
        return tuple(
            library
            for library, names in FILES.items()
            if any((self.path / name).is_file() for name in names)
        )
