"""What to do when a batch does not fit into the device's memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from services.resnet.preprocessing import Tensor
from services.serving.problem import Problem


def run_within_memory(
    run: Callable[[Tensor], Tensor],
    batch: Tensor,
    *,
    out_of_memory: type[Exception],
    release: Callable[[], None],
) -> Tensor:
    """Run a batch [n, ...], or its two halves when the whole does not fit.

    When `out_of_memory` is raised, `release` is called before the second attempt. Raises Problem
    (503) when a half does not fit either, or when there was one item only and a second attempt
    fails.
    """
    try:
        return run(batch)
    except out_of_memory:
        release()
    middle = max(1, len(batch) // 2)
    try:
        parts = [run(part) for part in (batch[:middle], batch[middle:]) if len(part)]
    except out_of_memory:
        release()
        raise Problem(
            503, "The device has no memory for this picture now.", retry_after_seconds=1
        ) from None
    return np.concatenate(parts)
