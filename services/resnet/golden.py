"""A known input and its right output, so that a backend can prove itself before it serves."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.resnet.preprocessing import Tensor
from services.resnet.top_classes import softmax, top_classes

GOLDEN_SEED: Final = 20_151_210
_GOLDEN_TOP: Final = 5


class GoldenError(Exception):
    """golden.npz cannot be read; the message is one line."""


@dataclass(frozen=True)
class Golden:
    """A batch of one and what its own library on the CPU made of it when the folder was written.

    Attributes:
        batch: float32 [1, 3, crop, crop] (or [1, crop, crop, 3]: the transform says), drawn from a
        seeded normal distribution as a normalised picture would be. logits: float32 [1, classes],
        before the softmax (or after it: the manifest says). top_classes: int64 [5]
        or fewer, the most probable classes, most probable first. top_probabilities: float32 of the
        same length.
    """

    batch: Tensor
    logits: Tensor
    top_classes: NDArray[np.int64]
    top_probabilities: Tensor


def golden_batch(shape: tuple[int, int, int], seed: int) -> Tensor:
    """Draw the seeded input, float32 [1, *shape]."""
    return np.random.default_rng(seed).standard_normal((1, *shape), dtype=np.float32)


def golden_answer(batch: Tensor, outputs: Tensor, *, are_probabilities: bool = False) -> Golden:
    """Describe what a network made of a batch of one; `outputs` is float32 [1, classes]."""
    probabilities = (outputs if are_probabilities else softmax(outputs))[0]
    top = top_classes(probabilities, _GOLDEN_TOP)
    return Golden(batch, outputs, top, probabilities[top])


def relative_difference(actual: Tensor, expected: Tensor) -> float:
    """The largest difference as a fraction of the largest expected value.

    Infinity where the shapes differ or a value is not finite.
    """
    if actual.shape != expected.shape or not np.isfinite(actual).all():
        return float("inf")
    scale = float(np.abs(expected).max())
    return float(np.abs(actual - expected).max()) / max(scale, float(np.finfo(np.float32).tiny))


def write_golden(golden: Golden, path: Path) -> None:
    """Write `golden` as a NumPy archive, without pickle."""
    np.savez_compressed(
        path,
        allow_pickle=False,
        batch=golden.batch,
        logits=golden.logits,
        top_classes=golden.top_classes,
        top_probabilities=golden.top_probabilities,
    )


def read_golden(path: Path) -> Golden:
    """Read a golden that `write_golden` wrote.

    Raises GoldenError when the file is not one.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Golden(
                batch=arrays["batch"].astype(np.float32, copy=False),
                logits=arrays["logits"].astype(np.float32, copy=False),
                top_classes=arrays["top_classes"].astype(np.int64, copy=False),
                top_probabilities=arrays["top_probabilities"].astype(np.float32, copy=False),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise GoldenError(f"{path.name}: is not a golden input and output") from None
