"""A trained model as files of a model folder: arrays without pickle, everything else as JSON."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from scipy.sparse import csr_array

from services.faq.classifier import PairClassifier
from services.faq.features import FEATURES
from services.faq.index import SHARED, SIMILAR, Index, Topics
from services.faq.ranking import Scorer
from services.faq.space import Block, Space
from services.serving.model_folder import ModelFolderError

KIND: Final = "faq"
ARRAYS_FILE: Final = "arrays.npz"
TERMS_FILE: Final = "terms.json"
CLASSIFIER_FILE: Final = "classifier.json"
ORIGINALS_FILE: Final = "originals.json"
EXAMPLES_FILE: Final = "examples.json"


_Document = TypeVar("_Document", bound=BaseModel)


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StoredOriginal(_Stored):
    """An original as answers show it; `html` and `answer_html` are HTML as in the data."""

    id: int
    answer_id: int
    title: str
    url: str | None
    html: str
    answer_html: str


class Example(_Stored):
    """A question and the first places of its ranking, which warm-up compares with."""

    text: str
    first: tuple[tuple[int, float], ...]
    """Ids and scores of the first places."""


class _Originals(_Stored):
    originals: tuple[StoredOriginal, ...]


class _Examples(_Stored):
    examples: tuple[Example, ...]


class _Terms(_Stored):
    words: tuple[str, ...]
    characters: tuple[str, ...]
    code: tuple[str, ...]


class _Classifier(_Stored):
    features: tuple[str, ...]
    weights: tuple[float, ...]
    bias: float
    slope: float
    offset: float
    low_signal_below: float


@dataclass(frozen=True)
class StoredModel:
    """Everything that serving needs."""

    scorer: Scorer
    originals: tuple[StoredOriginal, ...]
    examples: tuple[Example, ...]


def save_model(model: StoredModel, folder: Path) -> None:
    """Write the model's files, the same bytes for the same model."""
    index, classifier = model.scorer.index, model.scorer.classifier
    space = index.space
    terms = _Terms(
        words=tuple(space.words.columns),
        characters=tuple(space.characters.columns),
        code=tuple(space.code.columns),
    )
    stored = _Classifier(
        features=FEATURES,
        weights=tuple(classifier.weights.tolist()),
        bias=classifier.bias,
        slope=classifier.slope,
        offset=classifier.offset,
        low_signal_below=model.scorer.low_signal_below,
    )
    _write_json(folder / TERMS_FILE, terms)
    _write_json(folder / CLASSIFIER_FILE, stored)
    _write_json(folder / ORIGINALS_FILE, _Originals(originals=model.originals))
    _write_json(folder / EXAMPLES_FILE, _Examples(examples=model.examples))
    with (folder / ARRAYS_FILE).open("wb") as stream:
        np.savez(stream, allow_pickle=False, **_arrays(index))


def load_model(folder: Path) -> StoredModel:
    """Read the files that `save_model` wrote; the caller has verified their hashes.

    Raises:
        ModelFolderError: a file does not fit this version of the service.
    """
    classifier = _read_json(folder / CLASSIFIER_FILE, _Classifier)
    if classifier.features != FEATURES:
        raise ModelFolderError(
            folder / CLASSIFIER_FILE, "has other features; train the model again"
        )
    scorer = Scorer(
        index=_read_index(folder),
        classifier=PairClassifier(
            weights=np.asarray(classifier.weights, np.float64),
            bias=classifier.bias,
            slope=classifier.slope,
            offset=classifier.offset,
        ),
        low_signal_below=classifier.low_signal_below,
    )
    originals = _read_json(folder / ORIGINALS_FILE, _Originals).originals
    if len(originals) != scorer.index.originals:
        raise ModelFolderError(folder / ORIGINALS_FILE, "does not fit the arrays")
    examples = _read_json(folder / EXAMPLES_FILE, _Examples).examples
    return StoredModel(scorer=scorer, originals=originals, examples=examples)


def _arrays(index: Index) -> dict[str, NDArray[Any]]:
    return {
        **_matrix_arrays("similar", index.similar),
        **_matrix_arrays("shared", index.shared),
        "owner_starts": index.owner_starts.astype(np.int64),
        "topic_weights": index.topics.weights.astype(np.float16),
        "topic_bias": index.topics.bias,
        "words_idf": index.space.words.idf,
        "characters_idf": index.space.characters.idf,
        "code_idf": index.space.code.idf,
    }


def _matrix_arrays(name: str, matrix: csr_array) -> dict[str, NDArray[Any]]:
    return {
        f"{name}_data": matrix.data,
        f"{name}_indices": matrix.indices.astype(np.int32),
        f"{name}_indptr": matrix.indptr.astype(np.int32),
    }


def _read_index(folder: Path) -> Index:
    path = folder / ARRAYS_FILE
    terms = _read_json(folder / TERMS_FILE, _Terms)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return _index(dict(arrays), terms)
    except (OSError, EOFError, ValueError, KeyError, IndexError, zipfile.BadZipFile):
        raise ModelFolderError(path, "does not hold the arrays of a model") from None


def _index(arrays: Mapping[str, NDArray[Any]], terms: _Terms) -> Index:
    space = Space(
        words=_block(terms.words, arrays["words_idf"]),
        characters=_block(terms.characters, arrays["characters_idf"]),
        code=_block(terms.code, arrays["code_idf"]),
    )
    starts = arrays["owner_starts"]
    originals, duplicates = len(starts) - 1, int(starts[-1])
    weights = arrays["topic_weights"]
    if weights.shape != (space.width, originals) or arrays["topic_bias"].shape != (originals,):
        raise ValueError
    similar_width = len(SIMILAR) * originals + duplicates
    return Index(
        space=space,
        topics=Topics(weights.astype(np.float32), arrays["topic_bias"]),
        similar=_matrix("similar", arrays, (space.width, similar_width)),
        shared=_matrix("shared", arrays, (space.shares_width, len(SHARED) * originals)),
        owner_starts=starts,
    )


def _block(terms: Sequence[str], idf: NDArray[Any]) -> Block:
    if len(terms) != len(idf):
        raise ValueError
    return Block({term: column for column, term in enumerate(terms)}, idf)


def _matrix(name: str, arrays: Mapping[str, NDArray[Any]], shape: tuple[int, int]) -> csr_array:
    parts = (arrays[f"{name}_data"], arrays[f"{name}_indices"], arrays[f"{name}_indptr"])
    matrix = csr_array(parts, shape=shape)
    matrix.check_format(full_check=True)
    return matrix


def _write_json(path: Path, document: BaseModel) -> None:
    path.write_bytes(orjson.dumps(document.model_dump()))


def _read_json(path: Path, schema: type[_Document]) -> _Document:
    try:
        return schema.model_validate(orjson.loads(path.read_bytes()))
    except (orjson.JSONDecodeError, ValidationError):
        raise ModelFolderError(path, "does not hold what this version expects") from None
    except OSError as error:
        raise ModelFolderError(path, f"cannot be read: {error.strerror}") from None
