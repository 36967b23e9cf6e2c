"""Which backend and device serve, decided without importing torch where onnxruntime will do."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.resnet.backends.backend import Backend, BackendUnavailable
from services.resnet.classifier_folder import ClassifierFolder
from services.resnet.settings import BackendName, DeviceName, Precision

GPU_BATCH = 32
CPU_BATCH = 1


@dataclass(frozen=True)
class Choice:
    """A backend and where it runs."""

    backend: Literal["onnxruntime", "torch"]
    device: Literal["cpu", "cuda"]

    @property
    def default_batch(self) -> int:
        """Pictures to run at once; on a CPU a batch takes as long as its pictures one by one."""
        return GPU_BATCH if self.device == "cuda" else CPU_BATCH


def choose(
    backend: BackendName, device: DeviceName, cuda_is_usable: Callable[[], bool] | None = None
) -> Choice:
    """Resolve `auto`: torch where a GPU is usable and wanted, else onnxruntime on the CPU.

    Raises BackendUnavailable for a device that is not there or that the backend cannot use.
    """
    usable = cuda_is_usable or _cuda_is_usable
    if backend == "onnxruntime":
        if device == "cuda":
            raise BackendUnavailable(
                "backend onnxruntime runs on the CPU; a GPU needs backend torch"
            )
        return Choice("onnxruntime", "cpu")
    if device != "cpu" and usable():
        return Choice("torch", "cuda")
    if device == "cuda":
        raise BackendUnavailable("device cuda: there is no GPU that torch can use here")
    return Choice("torch" if backend == "torch" else "onnxruntime", "cpu")


def expected_batch(backend: BackendName, device: DeviceName) -> int:
    """Tell the default batch of the choice to come, without importing torch."""
    on_gpu = backend != "onnxruntime" and device != "cpu" and _gpu_is_present()
    return GPU_BATCH if on_gpu else CPU_BATCH


def open_backend(
    choice: Choice,
    folder: ClassifierFolder,
    *,
    threads: int,
    precision: Precision,
    spinning: bool,
) -> Backend:
    """Load the network of a model folder into the chosen backend.

    Raises BackendUnavailable when its library is not installed, or cannot do what the settings ask,
    or the folder has no graph.
    """
    _require_library(choice.backend)
    if choice.backend == "torch":
        from services.resnet.backends.torch_network import TorchBackend

        return TorchBackend(folder, device=choice.device, threads=threads, precision=precision)
    from services.resnet.backends.onnx_graph import OnnxRuntimeBackend

    if precision not in ("auto", "fp32"):
        raise BackendUnavailable(f"precision {precision} needs backend torch")
    return OnnxRuntimeBackend(folder, threads=threads, spinning=spinning)


def _require_library(library: str) -> None:
    if importlib.util.find_spec(library) is None:
        raise BackendUnavailable(f"backend {library}: the package {library} is not installed")


def _cuda_is_usable() -> bool:
    # Without a device file the answer is known; importing torch takes seconds and half a gigabyte.
    if not _gpu_is_present():
        return False
    import torch

    return torch.cuda.is_available()


def _gpu_is_present() -> bool:
    devices = any(Path("/dev").glob("nvidia[0-9]*"))
    return devices and importlib.util.find_spec("torch") is not None
