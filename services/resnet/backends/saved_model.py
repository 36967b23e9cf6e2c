"""TensorFlow's SavedModel: a folder with a graph and its variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from google.protobuf.message import DecodeError

from services.resnet.backends.backend import BackendUnavailable, first_line
from services.resnet.backends.tensorflow_runtime import (
    Placement,
    TensorFlowBackend,
    prepare,
    saved_model_pb2,
    tf,
)
from services.resnet.network_files import NetworkFiles

SIGNATURE: Final = "serving_default"
_FOREIGN: Final = frozenset(
    {"PyFunc", "PyFuncStateless", "EagerPyFunc", "ReadFile", "WriteFile", "MatchingFiles"}
)
"""Operations that reach outside of the graph: into Python or the file system.

A SavedModel is a program ("Using TensorFlow Securely", SECURITY.md of TensorFlow); no picture
classifier needs these.
"""


def open_saved_model(files: NetworkFiles, placement: Placement) -> TensorFlowBackend:
    """Load saved_model/ and take its signature `serving_default`.

    Raises BackendUnavailable when it is missing, cannot be read, reaches outside of its graph, or
    its signature has not one input and one output.
    """
    prepare(placement)
    path = files.saved_model_path
    _refuse_foreign_operations(path)
    try:
        loaded = tf.saved_model.load(str(path))
    except Exception as error:  # noqa: BLE001  # TensorFlow raises many types
        raise BackendUnavailable(f"{path}: cannot be loaded ({first_line(error)})") from None
    signature = loaded.signatures.get(SIGNATURE)
    if signature is None:
        raise BackendUnavailable(f"{path}: has no signature {SIGNATURE}")
    inputs, outputs = signature.structured_input_signature[1], signature.structured_outputs
    if len(inputs) != 1 or len(outputs) != 1:
        raise BackendUnavailable(f"{path}: {SIGNATURE} has not one input and one output")
    (argument,), (result,) = inputs, outputs

    def run(batch: Any) -> Any:
        # By way of `loaded`: a signature alone does not keep its variables.
        return loaded.signatures[SIGNATURE](**{argument: batch})[result]

    return TensorFlowBackend("tensorflow", run, placement)


def _refuse_foreign_operations(path: Path) -> None:
    file = path / "saved_model.pb"
    try:
        model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    except FileNotFoundError:
        raise BackendUnavailable(f"{path}: is missing; fetch it with --framework keras") from None
    except (DecodeError, OSError):
        raise BackendUnavailable(f"{path}: is not a SavedModel") from None
    for graph in (each.graph_def for each in model.meta_graphs):
        functions = [node for each in graph.library.function for node in each.node_def]
        foreign = {node.op for node in (*graph.node, *functions)} & _FOREIGN
        if foreign:
            raise BackendUnavailable(
                f"{path}: reaches outside of its graph ({min(foreign)}), and is not loaded"
            )
