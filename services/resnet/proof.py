"""A network that was just written, run once, so that its folder holds what it really answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np

from services.resnet.backends.backend import Backend, BackendUnavailable
from services.resnet.backends.choice import Choice, open_backend
from services.resnet.classifier_folder import GOLDEN_FILE, LABELS_FILE, TRANSFORM_FILE
from services.resnet.golden import (
    GOLDEN_SEED,
    Golden,
    golden_answer,
    golden_batch,
    relative_difference,
    write_golden,
)
from services.resnet.labels import Label, write_labels
from services.resnet.network_files import Library, NetworkFiles
from services.resnet.preprocessing import Tensor
from services.resnet.transform import Transform, write_transform
from services.serving.cpu import available_cpus
from services.serving.problem import Problem

Output = Literal["logits", "probabilities"]

PARITY: Final = 1e-4
_LOUD: Final = (-64.0, 64.0)
"""What pictures are multiplied by, to see whether the answers ever leave the range from 0 to 1."""
_FURTHER: Final = 6
"""Pictures besides the proof's own: a network that normalises them hears no loudness."""


class ProofFailed(Exception):
    """The network does not take or give what it should; one line."""


def write_parts(
    folder: Path,
    library: Library,
    transform: Transform,
    labels: Sequence[Label],
    *,
    output: Output,
) -> Golden:
    """Write all that belongs to a network into the folder that holds it; return its golden answer.

    Raises ProofFailed when they do not fit together.
    """
    golden = prove(NetworkFiles(folder, ""), library, transform, classes=len(labels), output=output)
    write_golden(golden, folder / GOLDEN_FILE)
    write_transform(transform, folder / TRANSFORM_FILE)
    write_labels(labels, folder / LABELS_FILE)
    return golden


def prove(
    files: NetworkFiles, library: Library, transform: Transform, *, classes: int, output: Output
) -> Golden:
    """Run the network on the CPU and return its golden answer.

    Raises ProofFailed when it cannot be opened, does not take batches of any size of the
    transform's shape, does not give `classes` finite values, gives logits where `output` says
    probabilities or the other way round, or gives what is not served: one value, or probabilities
    that do not sum to 1.
    """
    backend = _opened(files, library)
    one = golden_batch(transform.shape, GOLDEN_SEED)
    several = np.concatenate([one, one * np.float32(0.5), one + np.float32(0.25)])
    alone, together = _answer(backend, one, transform), _answer(backend, several, transform)
    if alone.shape != (1, classes):
        raise ProofFailed(
            f"the network gives {list(alone.shape[1:])} values for a picture, and there are "
            f"{classes} labels"
        )
    if classes == 1:
        raise ProofFailed(
            "the network gives one value for a picture, and the probability of a single class is "
            "always 1; export it with two outputs and two labels"
        )
    if not np.isfinite(together).all() or relative_difference(together[:1], alone) > PARITY:
        raise ProofFailed("the network answers a picture alone otherwise than among others")
    if _are_independent(together, backend, one, transform):
        raise ProofFailed(
            "the network gives values from 0 to 1 that do not sum to 1, as a sigmoid for each class "
            "or a quantised softmax does, which are not served; export it without its last step, so "
            "that it gives logits"
        )
    _check_output(together, output)
    return golden_answer(one, alone, are_probabilities=output == "probabilities")


def reproduce(files: NetworkFiles, library: Library, golden: Golden) -> float:
    """Return how far a network is from another's golden answer, relative to the largest value.

    Raises ProofFailed when it cannot be opened, or differs by 1e-4 or more.
    """
    parity = relative_difference(
        _opened(files, library).logits(golden.batch).astype(np.float32), golden.logits
    )
    if not parity < PARITY:
        raise ProofFailed(f"its answer differs by {parity:.1e}, more than {PARITY:.0e}")
    return parity


def _opened(files: NetworkFiles, library: Library) -> Backend:
    try:
        return open_backend(
            Choice(library, "cpu"),
            files,
            threads=available_cpus(),
            precision="auto",
            spinning=False,
        )
    except BackendUnavailable as error:
        # The draft's own folder is of no use to the reader.
        raise ProofFailed(str(error).replace(f"{files.path}/", "")) from None


def _answer(backend: Backend, batch: Tensor, transform: Transform) -> Tensor:
    try:
        return backend.logits(batch)
    except Problem as error:
        raise ProofFailed(error.detail) from None
    except Exception:  # noqa: BLE001  # each library has its own types for a wrong shape
        shape = ", ".join(map(str, transform.shape))
        raise ProofFailed(
            f"the network does not take float32 [{len(batch)}, {shape}]; check crop and layout of "
            "its preprocessing, and that its batch axis is open"
        ) from None


def _are_independent(
    answers: Tensor, backend: Backend, picture: Tensor, transform: Transform
) -> bool:
    """Whether they are probabilities that do not sum to 1."""
    if _sum_to_one(answers) or not _within_one(answers):
        return False
    # The logits of a few pictures that are much alike may lie there by chance.
    draw = np.random.default_rng(GOLDEN_SEED)
    others = draw.normal(
        draw.normal(size=(_FURTHER, picture.shape[1], 1, 1)), 1.0, (_FURTHER, *picture.shape[1:])
    )
    pictures = [*(picture * np.float32(factor) for factor in _LOUD), others.astype(np.float32)]
    return _within_one(_answer(backend, np.concatenate(pictures), transform))


def _within_one(answers: Tensor) -> bool:
    return bool(((answers >= 0) & (answers <= 1)).all())


def _sum_to_one(answers: Tensor) -> bool:
    return bool(np.allclose(answers.sum(axis=-1), 1, atol=1e-3))


def _check_output(answers: Tensor, output: Output) -> None:
    are_probabilities = bool((answers >= 0).all()) and _sum_to_one(answers)
    if are_probabilities != (output == "probabilities"):
        other = "probabilities" if are_probabilities else "logits"
        raise ProofFailed(f"the network gives {other}; say --output {other}")
