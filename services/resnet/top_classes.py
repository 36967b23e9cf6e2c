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
    """Return the indices of the `count` largest of [classes], largest first, ties by index.

    What is no number comes last.
    """
    count = min(count, len(probabilities))
    # In few calls, each of which costs more than its work: the processor's caches are the network's.
    parted = probabilities.copy()
    parted.partition(len(parted) - count)
    candidates = (probabilities >= parted[-count]).nonzero()[0]
    if len(candidates) < count:
        return np.argsort(-probabilities, kind="stable")[:count]
    return candidates[(-probabilities[candidates]).argsort(kind="stable")[:count]]
