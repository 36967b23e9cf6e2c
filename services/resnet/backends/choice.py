"""Which backend and device serve, decided without importing torch where onnxruntime will do."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from services.resnet.backends.backend import Backend, BackendUnavailable
from services.resnet.network_files import Library, NetworkFiles
from services.resnet.settings import BackendName, DeviceName, Precision

if TYPE_CHECKING:
    from services.resnet.backends.tensorflow_runtime import Placement

GPU_BATCH = 32
CPU_BATCH = 1

ON_GPUS: Final[Sequence[Library]] = ("torch", "tensorflow", "keras")
ON_CPUS: Final[Sequence[Library]] = ("onnxruntime", "torch", "tensorflow", "keras")
"""What `auto` takes, the fastest first."""

_ALL: Final[Sequence[Library]] = ON_CPUS
_PACKAGES: Final[dict[Library, str]] = {
    "onnxruntime": "onnxruntime",
    "torch": "torch",
    "keras": "tensorflow",
    "tensorflow": "tensorflow",
}


@dataclass(frozen=True)
class Choice:
    """A backend and where it runs."""

    backend: Library
    device: Literal["cpu", "cuda"]

    @property
    def default_batch(self) -> int:
        """Pictures to run at once; on a CPU a batch takes as long as its pictures one by one."""
        return GPU_BATCH if self.device == "cuda" else CPU_BATCH


def choose(
    backend: BackendName,
    device: DeviceName,
    cuda_is_usable: Callable[[Library], bool] | None = None,
    *,
    libraries: Sequence[Library] = _ALL,
) -> Choice:
    """Resolve `auto`: torch where a GPU is usable and wanted, else onnxruntime on the CPU.

    Args:
        backend: the setting.
        device: the setting.
        cuda_is_usable: whether a library can use a GPU here.
        libraries: those that the model folder has a network for; `auto` takes no other.

    Raises BackendUnavailable for a device that is not there or that the backend cannot use.
    """
    usable = cuda_is_usable or _cuda_is_usable
    if backend == "onnxruntime" and device == "cuda":
        raise BackendUnavailable("backend onnxruntime runs on the CPU; a GPU needs backend torch")
    wanted: Sequence[Library] = libraries if backend == "auto" else (backend,)
    on_gpus: list[Library] = [library for library in ON_GPUS if library in wanted]
    if device != "cpu":
        for library in on_gpus:
            if usable(library):
                return Choice(library, "cuda")
    if device == "cuda":
        able = " or ".join(on_gpus) or "any of the model's backends"
        raise BackendUnavailable(f"device cuda: there is no GPU that {able} can use here")
    return Choice(next(library for library in ON_CPUS if library in wanted), "cpu")


def expected_batch(backend: BackendName, device: DeviceName) -> int:
    """Tell the default batch of the choice to come, without importing torch."""
    on_gpu = backend != "onnxruntime" and device != "cpu" and _gpu_is_present(_ALL)
    return GPU_BATCH if on_gpu else CPU_BATCH


def open_backend(
    choice: Choice,
    files: NetworkFiles,
    *,
    threads: int,
    precision: Precision,
    spinning: bool,
) -> Backend:
    """Load the network of a model folder into the chosen backend.

    Raises BackendUnavailable when its library is not installed, or cannot do what the settings ask,
    or the folder has no network for it.
    """
    _require_package(choice.backend)
    if choice.backend == "torch":
        from services.resnet.backends.torch_network import TorchBackend

        return TorchBackend(files, device=choice.device, threads=threads, precision=precision)
    if choice.backend in ("keras", "tensorflow"):
        from services.resnet.backends.tensorflow_runtime import Placement

        return _open_tensorflow(choice.backend, files, Placement(choice.device, threads, precision))
    from services.resnet.backends.onnx_graph import OnnxRuntimeBackend

    if precision not in ("auto", "fp32"):
        raise BackendUnavailable(f"precision {precision} needs backend torch")
    return OnnxRuntimeBackend(files, threads=threads, spinning=spinning)


def _open_tensorflow(library: Library, files: NetworkFiles, placement: Placement) -> Backend:
    if library == "keras":
        from services.resnet.backends.keras_file import open_keras

        return open_keras(files, placement)
    from services.resnet.backends.saved_model import open_saved_model

    return open_saved_model(files, placement)


def _require_package(library: Library) -> None:
    package = _PACKAGES[library]
    if importlib.util.find_spec(package) is None:
        raise BackendUnavailable(f"backend {library}: the package {package} is not installed")


def _cuda_is_usable(library: Library) -> bool:
    # Without a device file the answer is known; importing torch takes seconds and half a gigabyte.
    if not _gpu_is_present((library,)):
        return False
    if library == "torch":
        import torch

        return torch.cuda.is_available()
    from services.resnet.backends.tensorflow_runtime import gpu_is_usable

    return gpu_is_usable()


def _gpu_is_present(libraries: Sequence[Library]) -> bool:
    devices = any(Path("/dev").glob("nvidia[0-9]*"))
    return devices and any(
        importlib.util.find_spec(_PACKAGES[library]) is not None
        for library in libraries
        if library in ON_GPUS
    )
