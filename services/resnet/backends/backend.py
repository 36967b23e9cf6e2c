"""The interface of a backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.resnet.preprocessing import Tensor


class BackendUnavailable(Exception):
    """The chosen backend cannot run here; the message is one line and says what to change."""


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

    def warm_up_sizes(self, max_batch: int) -> Sequence[int]:
        """Batch sizes to run once before serving, so that no request pays for a first time."""
        ...

    def logits(self, batch: Tensor) -> Tensor:
        """Run float32 [n, 3, h, w] and return logits, float32 [n, classes].

        Raises Problem (503) when the device has no memory for it.
        """
        ...
