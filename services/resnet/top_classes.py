"""From logits to the most probable classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.resnet.preprocessing import Tensor


def softmax(logits: Tensor) -> Tensor:
    """Turn logits, float32 [..., classes], into probabilities of the same shape.

    Computed in float64 and relative to the largest logit, so that large ones do not overflow.
    """
    wide = logits.astype(np.float64)
    raised = np.exp(wide - wide.max(axis=-1, keepdims=True))
    return (raised / raised.sum(axis=-1, keepdims=True)).astype(np.float32)


def top_classes(probabilities: Tensor, count: int) -> NDArray[np.int64]:
    """Return the indices of the `count` largest of [classes], largest first, ties by index."""
    # Only those are sorted that may be among them. What is no number comes last.
    upside_down = -probabilities
    last = min(count, len(probabilities)) - 1
    candidates = np.flatnonzero(~(upside_down > np.partition(upside_down, last)[last]))
    order = np.argsort(upside_down[candidates], kind="stable")
    return candidates[order][:count].astype(np.int64)
