"""torch, on a GPU or a CPU."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, Literal, cast

import safetensors.torch
import torch

from services.resnet.backends.backend import BackendUnavailable, first_line
from services.resnet.backends.batch_padding import padded, padded_sizes
from services.resnet.backends.memory import run_within_memory
from services.resnet.backends.torch_program import read_program, read_script
from services.resnet.network_files import NetworkFiles
from services.resnet.networks import build_network
from services.resnet.preprocessing import Tensor
from services.resnet.settings import Precision

Arithmetic = Literal["fp32", "fp16", "bf16"]

_log = logging.getLogger(__name__)

_DTYPES: Final = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
_TOLERANCES: Final[dict[Arithmetic, float]] = {"fp32": 2e-3, "fp16": 2e-2, "bf16": 1e-1}
_TENSOR_CORES_SINCE: Final = (7, 0)
_BFLOAT16_SINCE: Final = (8, 0)
# Flags of /proc/cpuinfo: x86 with AVX-512 or AMX, and Arm. Elsewhere bf16 is emulated, six times
# slower than fp32.
_BFLOAT16_FLAGS: Final = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
_BROKEN_DEVICE_STATUS: Final = 70


class TorchBackend:
    """Runs model.safetensors, model.pt2 or model.torchscript.pt, the first that is there.

    On a GPU a batch is padded to a power of two, so that the shapes that cuDNN is tuned for are few
    and all known before the service is ready. A CUDA error other than a lack of memory leaves the
    process unable to use the GPU: it ends at once, for the kubelet to start another.
    """

    def __init__(
        self,
        files: NetworkFiles,
        *,
        device: Literal["cpu", "cuda"],
        threads: int,
        precision: Precision,
        exit_process: Callable[[int], object] = os._exit,
    ) -> None:
        self._device = torch.device(device)
        self._arithmetic: Arithmetic = arithmetic(precision, device)
        self._exit_process = exit_process
        # cuDNN's choice of algorithms and OpenMP's team of threads belong to the calling thread:
        # what warm-up prepares must be there for whoever calls later.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="torch")
        _limit_threads(threads)
        network: Any = _read_network(files)
        self._network = network.to(device=self._device, memory_format=torch.channels_last)
        self._ran_on: torch.device | None = None
        if device == "cuda":
            torch.backends.cudnn.benchmark = True

    @property
    def name(self) -> str:
        """Library, device and arithmetic."""
        return f"torch-{self._device.type}-{self._arithmetic}"

    @property
    def tolerance(self) -> float:
        """By the arithmetic: fp32 on a GPU rounds differently, fp16 keeps 11 bits and bf16 8."""
        return _TOLERANCES[self._arithmetic]

    @property
    def device(self) -> str:
        """The device that holds the last output."""
        if self._ran_on is None or self._ran_on.type != "cuda":
            return self._ran_on.type if self._ran_on else ""
        return f"cuda {torch.cuda.get_device_name(self._ran_on)}"

    def warm_up_sizes(self, max_batch: int) -> Sequence[int]:
        """Every size that `logits` pads to."""
        if self._device.type == "cpu":
            return sorted({1, max_batch})
        return padded_sizes(max_batch)

    def logits(self, batch: Tensor) -> Tensor:
        """Run float32 [n, 3, h, w] and return logits, float32 [n, classes].

        Raises Problem (503) when neither the batch nor its halves fit into the device's memory.
        """
        return self._thread.submit(self._guarded, batch).result()

    def _guarded(self, batch: Tensor) -> Tensor:
        try:
            return run_within_memory(
                self._run,
                batch,
                out_of_memory=torch.OutOfMemoryError,
                release=self._release,
            )
        except RuntimeError as error:
            if self._device.type == "cuda" and is_broken_device(error):
                _log.critical("the GPU does not answer any more; the process ends", exc_info=error)
                logging.shutdown()
                self._exit_process(_BROKEN_DEVICE_STATUS)
            raise

    def _run(self, batch: Tensor) -> Tensor:
        count = len(batch)
        if self._device.type == "cuda":
            batch = padded(batch)
        with torch.inference_mode(), self._autocast():
            pictures = torch.from_numpy(batch).to(
                device=self._device, memory_format=torch.channels_last
            )
            output = self._network(pictures)
        self._ran_on = output.device
        return cast("Tensor", output[:count].float().cpu().numpy())

    def _autocast(self) -> AbstractContextManager[object]:
        if self._arithmetic == "fp32":
            return nullcontext()
        return torch.autocast(self._device.type, dtype=_DTYPES[self._arithmetic])

    def _release(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.empty_cache()


def arithmetic(precision: Precision, device: Literal["cpu", "cuda"]) -> Arithmetic:
    """Resolve a precision for a device.

    Raises BackendUnavailable for one that the device has no instructions for.
    """
    if precision == "fp32":
        return "fp32"
    if device == "cpu":
        return _cpu_arithmetic(precision)
    capability = torch.cuda.get_device_capability()
    if precision == "auto":
        return "fp16" if capability >= _TENSOR_CORES_SINCE else "fp32"
    needed = _BFLOAT16_SINCE if precision == "bf16" else _TENSOR_CORES_SINCE
    if capability < needed:
        raise BackendUnavailable(f"precision {precision}: this GPU has no instructions for it")
    return precision


def _cpu_arithmetic(precision: Precision) -> Arithmetic:
    if precision == "bf16" and cpu_flags() & _BFLOAT16_FLAGS:
        return "bf16"
    if precision == "auto":
        return "fp32"
    raise BackendUnavailable(
        f"precision {precision}: this CPU has no instructions for it; use fp32"
    )


def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Return the instruction sets of the first processor; none where the kernel does not say."""
    try:
        lines = cpuinfo.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return frozenset()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return frozenset(flags.partition(":")[2].split())


def is_broken_device(error: BaseException) -> bool:
    """Tell whether a CUDA error is sticky: every later call in this process would fail too."""
    return not isinstance(error, torch.OutOfMemoryError) and (
        isinstance(error, torch.AcceleratorError) or "CUDA error" in str(error)
    )


def _limit_threads(threads: int) -> None:
    torch.set_num_threads(threads)
    try:
        torch.set_num_interop_threads(1)
    except RuntimeError:
        # It can be set once, before the first parallel work of the process; by then it is what it
        # is.
        _log.debug("torch's inter-operator threads were set before")


def _read_network(files: NetworkFiles) -> torch.nn.Module:
    if files.state_path.is_file():
        return _read_state(files)
    if files.program_path.is_file():
        return read_program(files.program_path)
    if files.script_path.is_file():
        return read_script(files.script_path)
    raise BackendUnavailable(f"{files.path}: has no network of torch; fetch or package one")


def _read_state(files: NetworkFiles) -> torch.nn.Module:
    try:
        network = build_network(files.architecture)
        safetensors.torch.load_model(network, str(files.state_path))
    except (ValueError, RuntimeError, safetensors.SafetensorError, ImportError) as error:
        raise BackendUnavailable(
            f"{files.state_path}: cannot be loaded ({first_line(error)})"
        ) from None
    return network.eval()
