"""TensorFlow, on a CPU or a GPU: runs what a Keras file or a SavedModel holds."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from services.resnet.backends.backend import BackendUnavailable
from services.resnet.backends.batch_padding import padded, padded_sizes
from services.resnet.backends.memory import run_within_memory
from services.resnet.preprocessing import Tensor
from services.resnet.settings import Precision

# Read when the library is imported: it says errors alone.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf  # pyright: ignore[reportMissingModuleSource]
from tensorflow.core.protobuf import (  # pyright: ignore[reportMissingModuleSource]
    saved_model_pb2,  # pyright: ignore[reportMissingModuleSource]
)

__all__ = ["Placement", "TensorFlowBackend", "gpu_is_usable", "prepare", "saved_model_pb2", "tf"]

Function = Callable[[Any], Any]

_log = logging.getLogger(__name__)

_TOLERANCES: Final = {"fp32": 2e-3, "tf32": 2e-2}


@dataclass(frozen=True)
class Placement:
    """Where a network is to run and with how many threads."""

    device: Literal["cpu", "cuda"]
    threads: int
    precision: Precision


class TensorFlowBackend:
    """Runs one function of TensorFlow's, float32 [n, …] to float32 [n, classes].

    On a GPU a batch is padded to a power of two, as torch's are: cuDNN chooses its algorithms for
    each shape, and all are known before the service is ready.
    """

    def __init__(self, library: str, run: Function, placement: Placement) -> None:
        self._run_function = run
        self._library = library
        self._on_gpu = placement.device == "cuda"
        self._place = "/GPU:0" if self._on_gpu else "/CPU:0"
        # TF32 keeps 10 of fp32's 23 bits in products, on GPUs that have it.
        self._arithmetic = "tf32" if self._on_gpu and placement.precision == "auto" else "fp32"
        tf.config.experimental.enable_tensor_float_32_execution(self._arithmetic == "tf32")
        self._ran_on = ""

    @property
    def name(self) -> str:
        """Library, device and arithmetic."""
        return f"{self._library}-{'cuda' if self._on_gpu else 'cpu'}-{self._arithmetic}"

    @property
    def tolerance(self) -> float:
        """By the arithmetic: kernels differ between processors, and TF32 rounds products."""
        return _TOLERANCES[self._arithmetic]

    @property
    def device(self) -> str:
        """Where TensorFlow says that the last output was computed."""
        return self._ran_on

    def warm_up_sizes(self, max_batch: int) -> Sequence[int]:
        """Every size that `logits` pads to."""
        return padded_sizes(max_batch) if self._on_gpu else sorted({1, max_batch})

    def logits(self, batch: Tensor) -> Tensor:
        """Run float32 [n, …] and return the network's output, float32 [n, classes].

        Raises Problem (503) when neither the batch nor its halves fit into the device's memory.
        """
        return run_within_memory(
            self._run,
            batch,
            out_of_memory=tf.errors.ResourceExhaustedError,
            release=lambda: None,
        )

    def _run(self, batch: Tensor) -> Tensor:
        count = len(batch)
        if self._on_gpu:
            batch = padded(batch)
        with tf.device(self._place):
            output = self._run_function(tf.constant(batch))
        self._ran_on = _device_name(output.backing_device)
        return cast("Tensor", output.numpy()[:count].astype("float32", copy=False))


def prepare(placement: Placement) -> None:
    """Limit the threads and let memory of the GPU be taken as it is needed.

    Both can be set once, before the first work of the process; by then they are what they are.

    Raises BackendUnavailable for an arithmetic that is not there.
    """
    if placement.precision not in ("auto", "fp32"):
        raise BackendUnavailable(f"precision {placement.precision} needs backend torch")
    try:
        tf.config.threading.set_intra_op_parallelism_threads(placement.threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError:
        _log.debug("TensorFlow's threads were set before")


def gpu_is_usable() -> bool:
    """Whether TensorFlow was built for GPUs and finds one; its CPU package never does."""
    return bool(tf.config.list_physical_devices("GPU"))


def _device_name(place: str) -> str:
    """Of a place such as "/job:localhost/replica:0/task:0/device:GPU:0", "cuda" and the model."""
    if ":GPU:" not in place:
        return "cpu"
    number = int(place.rsplit(":", 1)[-1])
    gpu = tf.config.list_physical_devices("GPU")[number]
    details = tf.config.experimental.get_device_details(gpu)
    return f"cuda {details.get('device_name', 'GPU')}"
