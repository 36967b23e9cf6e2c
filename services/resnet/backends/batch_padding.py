"""Batches of few sizes, for devices that tune themselves to every shape they see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.resnet.preprocessing import Tensor


def padded(batch: Tensor) -> Tensor:
    """Extend a batch [n, ...] with zeros to the next power of two."""
    missing = (1 << (len(batch) - 1).bit_length()) - len(batch)
    if not missing:
        return batch
    return np.concatenate([batch, np.zeros((missing, *batch.shape[1:]), dtype=batch.dtype)])


def padded_sizes(max_batch: int) -> Sequence[int]:
    """Every size that batches of up to `max_batch` are padded to."""
    return [2**power for power in range((max_batch - 1).bit_length() + 1)]
