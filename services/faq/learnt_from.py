"""Which questions a model has learnt from, so that it is never evaluated on one of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.faq.array_file import write_array
from services.faq.data import Duplicate
from services.faq.text import CleanText
from services.serving.model_folder import ModelFolderError

LEARNT_FILE: Final = "learnt_from.npy"

Keys = NDArray[np.int64]
"""Id and hash of the text of each question, (questions, 2)."""


def write_learnt(folder: Path, questions: Sequence[Duplicate]) -> None:
    """Write the questions that the model of `folder` has learnt from."""
    write_array(folder / LEARNT_FILE, _keys(questions))


def add_learnt(folder: Path, questions: Sequence[Duplicate]) -> None:
    """Write that the model of `folder` has learnt from further questions.

    Raises:
        ModelFolderError: the file is missing or broken.
    """
    keys = np.concatenate((read_learnt(folder), _keys(questions)))
    write_array(folder / LEARNT_FILE, keys)


def read_learnt(folder: Path) -> Keys:
    """Read what `write_learnt` wrote.

    Raises:
        ModelFolderError: the file is missing or broken.
    """
    path = folder / LEARNT_FILE
    try:
        keys = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise ModelFolderError(path, "is missing; train the model again") from None
    except (OSError, EOFError, ValueError):
        raise ModelFolderError(path, "does not hold the keys of questions") from None
    if keys.ndim != 2 or keys.shape[1] != 2 or keys.dtype != np.int64:
        raise ModelFolderError(path, "does not hold the keys of questions")
    return keys


def is_learnt(learnt: Keys, questions: Sequence[Duplicate]) -> NDArray[np.bool_]:
    """Return of each question whether one with its id or its text was learnt from.

    Either is enough: ids may be made up anew, and texts may be cleaned in another way.
    """
    keys = _keys(questions)
    return np.isin(keys[:, 0], learnt[:, 0]) | np.isin(keys[:, 1], learnt[:, 1])


def _keys(questions: Sequence[Duplicate]) -> Keys:
    keys = [(question.id, _hash(question.text)) for question in questions]
    return np.asarray(keys, np.int64).reshape(-1, 2)


def _hash(text: CleanText) -> int:
    """Return 64 bits of the text's hash; case and spaces do not matter."""
    digest = hashlib.blake2b(text.words.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
