"""Whether a shape that a client sends fits an input."""

from __future__ import annotations

import math
from collections.abc import Sequence

from services.serving.problem import Problem
from services.serving.protocols.signature import TensorSpec


def fitted_shape(spec: TensorSpec, shape: Sequence[int], most_rows: int) -> tuple[int, ...]:
    """``shape`` with all dimensions of ``spec``.

    Where a row is one element, ``[N]`` is taken for ``[N, 1]``.

    Raises:
        Problem: 400 if it does not fit, or has no rows or too many.
    """
    row = spec.shape[1:]
    given = (*shape, *row) if len(shape) == 1 and math.prod(row) == 1 else tuple(shape)
    fits = len(given) == len(spec.shape) and all(
        wanted in (-1, size) and size >= 0 for wanted, size in zip(spec.shape, given, strict=True)
    )
    if not fits:
        raise Problem(400, f"Input {spec.name} must have the shape {list(spec.shape)}.")
    if not 1 <= given[0] <= most_rows:
        raise Problem(400, f"The batch must have from 1 to {most_rows} rows.")
    return given
