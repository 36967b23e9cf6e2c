"""The interface of a backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.resnet.preprocessing import Tensor


class BackendUnavailable(Exception):
    """The chosen backend cannot run here; the message is one line and says what to change."""


def first_line(error: BaseException) -> str:
    """What an error of a library says first, short enough for one line."""
    lines = str(error).strip().splitlines()
    return lines[0].strip()[:160] if lines else type(error).__name__


class Backend(Protocol):
    """Runs one network. Used by one thread."""

    @property
    def name(self) -> str:
        """The library, device and arithmetic, such as "torch-cuda-fp16"."""
        ...

    @property
    def tolerance(self) -> float:
        """How far its logits may be from the golden ones, as a fraction of the largest."""
        ...

    @property
    def device(self) -> str:
        """Where the library says that the last output was computed; empty before the first.

        "cpu", or "cuda" and the GPU's model.
        """
        ...

    def warm_up_sizes(self, max_batch: int) -> Sequence[int]:
        """Batch sizes to run once before serving, so that no request pays for a first time."""
        ...

    def logits(self, batch: Tensor) -> Tensor:
        """Run float32 [n, …] of the transform's shape and return the output, float32 [n, classes].

        Raises Problem (503) when the device has no memory for it.
        """
        ...
