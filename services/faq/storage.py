"""A trained model as files of a model folder: arrays without pickle, everything else as JSON.

The arrays are mapped into memory, not read, so that several processes of one machine share them. A
folder that is exchanged for another, or removed, goes on serving those who have mapped it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from scipy.sparse import csr_array

from services.faq.array_file import write_array
from services.faq.classifier import PairClassifier
from services.faq.encoder import GRAPH_FILE, Encoder, load_encoder
from services.faq.features import PLAIN, WITH_MEANING, FeatureSet
from services.faq.index import PRESENT, SIMILAR, SQUARED, Index, Rows, Scale, Topics
from services.faq.meanings import Meanings
from services.faq.network import UNITS, Network
from services.faq.ranking import Scorer
from services.faq.retrieval import Postings
from services.faq.space import Space
from services.faq.stored_originals import StoredOriginals
from services.serving.model_folder import ModelFolderError

KIND: Final = "faq"
INDEX_FILE: Final = "index.json"
CLASSIFIER_FILE: Final = "classifier.json"
EXAMPLES_FILE: Final = "examples.json"
ARRAYS: Final = {
    "space_terms": np.uint64,
    "space_idf": np.float32,
    "topic_weights": np.float16,
    "topic_bias": np.float32,
    "network_terms": np.float16,
    "network_terms_bias": np.float32,
    "network_units": np.float16,
    "network_units_bias": np.float32,
    **{
        f"{matrix}_{part}": dtype
        for matrix in ("similar", "squared", "present", "duplicates")
        for part, dtype in (("data", np.float32), ("indices", np.int32), ("indptr", np.int32))
    },
    "owner_starts": np.int64,
    "family_lengths": np.float32,
    "postings_starts": np.int64,
    "postings_owners": np.int32,
    "postings_weights": np.float32,
    "original_ids": np.int64,
    "original_answer_ids": np.int64,
    "original_ends": np.int64,
    "original_texts": np.uint8,
}
"""The arrays, each in a file `NAME.npy`, and their types."""
MEANINGS: Final = {
    f"meaning_{name}": np.float16 for name in ("originals", "answers", "families", "duplicates")
}
"""Those of a model with a sentence encoder besides."""

_AT_ONCE: Final = 1 << 22
_Document = TypeVar("_Document", bound=BaseModel)


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Example(_Stored):
    """A question and the first places of its ranking, which warm-up compares with."""

    text: str
    first: tuple[tuple[int, float], ...]
    """Ids and scores of the first places."""


class _Examples(_Stored):
    examples: tuple[Example, ...]


class _Index(_Stored):
    texts: int
    average_words: float
    families: int
    family_entries: int
    dimensions: int = 0
    """Of what the sentence encoder returns; 0 without one."""


class _Classifier(_Stored):
    features: tuple[str, ...]
    weights: tuple[float, ...]
    bias: float
    low_signal_below: float


@dataclass(frozen=True)
class StoredModel:
    """Everything that serving needs."""

    scorer: Scorer
    originals: StoredOriginals
    examples: tuple[Example, ...]


def save_model(model: StoredModel, folder: Path) -> None:
    """Write the model's files, the same bytes for the same model."""
    index, classifier = model.scorer.index, model.scorer.classifier
    stored = _Classifier(
        features=_feature_set(index.rows.meanings is not None).names,
        weights=tuple(classifier.weights.tolist()),
        bias=classifier.bias,
        low_signal_below=model.scorer.low_signal_below,
    )
    scale = _Index(
        texts=index.space.texts,
        average_words=index.scale.average_words,
        families=index.scale.families,
        family_entries=index.scale.family_entries,
        dimensions=index.rows.meanings.originals.shape[1] if index.rows.meanings else 0,
    )
    _write_json(folder / CLASSIFIER_FILE, stored)
    _write_json(folder / INDEX_FILE, scale)
    _write_json(folder / EXAMPLES_FILE, _Examples(examples=model.examples))
    arrays = _arrays(model)
    for name, dtype in ARRAYS.items():
        write_array(array_file(folder, name), arrays[name].astype(dtype, copy=False))
    if index.rows.meanings and model.scorer.encoder:
        for name, dtype in MEANINGS.items():
            vectors = getattr(index.rows.meanings, name.removeprefix("meaning_"))
            write_array(array_file(folder, name), vectors.astype(dtype, copy=False))
        model.scorer.encoder.save(folder)


def load_model(folder: Path) -> StoredModel:
    """Map the files that `save_model` wrote; the caller has verified their hashes.

    Raises:
        ModelFolderError: a file does not fit this version of the service.
    """
    classifier = _read_json(folder / CLASSIFIER_FILE, _Classifier)
    scale = _read_json(folder / INDEX_FILE, _Index)
    if classifier.features != _feature_set(scale.dimensions > 0).names:
        raise ModelFolderError(
            folder / CLASSIFIER_FILE, "has other features; train the model again"
        )
    index = _read_index(folder, scale)
    scorer = Scorer(
        index=index,
        classifier=PairClassifier(
            weights=np.asarray(classifier.weights, np.float64),
            bias=classifier.bias,
        ),
        low_signal_below=classifier.low_signal_below,
        encoder=_read_encoder(folder, scale.dimensions) if scale.dimensions else None,
    )
    examples = _read_json(folder / EXAMPLES_FILE, _Examples).examples
    return StoredModel(scorer, _read_originals(folder, index.originals), examples)


def _feature_set(has_meanings: bool) -> FeatureSet:
    return WITH_MEANING if has_meanings else PLAIN


def array_file(folder: Path, name: str) -> Path:
    """Return the file of one of `ARRAYS`."""
    return folder / f"{name}.npy"


def _arrays(model: StoredModel) -> dict[str, NDArray[Any]]:
    index, originals = model.scorer.index, model.originals
    rows = index.rows
    matrices = {
        "similar": rows.similar,
        "squared": rows.squared,
        "present": rows.present,
        "duplicates": rows.duplicates,
    }
    return {
        "space_terms": index.space.terms,
        "space_idf": index.space.idf,
        "topic_weights": index.topics.weights,
        "topic_bias": index.topics.bias,
        **_network_arrays(index.network),
        **{f"{name}_data": matrix.data for name, matrix in matrices.items()},
        **{f"{name}_indices": matrix.indices for name, matrix in matrices.items()},
        **{f"{name}_indptr": matrix.indptr for name, matrix in matrices.items()},
        "owner_starts": rows.owner_starts,
        "family_lengths": rows.family_lengths,
        "postings_starts": index.postings.starts,
        "postings_owners": index.postings.owners,
        "postings_weights": index.postings.weights,
        "original_ids": originals.ids,
        "original_answer_ids": originals.answer_ids,
        "original_ends": originals.ends,
        "original_texts": originals.texts,
    }


def _network_arrays(network: Network | None) -> dict[str, NDArray[Any]]:
    none = np.zeros(0, np.float32)
    return {
        "network_terms": network.terms if network else none.reshape(0, 0),
        "network_terms_bias": network.terms_bias if network else none,
        "network_units": network.units if network else none.reshape(0, 0),
        "network_units_bias": network.units_bias if network else none,
    }


def _read_index(folder: Path, scale: _Index) -> Index:
    terms = _mapped(folder, "space_terms")
    starts = _mapped(folder, "owner_starts")
    _require(folder, "space_terms", len(terms) > 0 and bool((terms[:-1] < terms[1:]).all()))
    _require_starts(folder, "owner_starts", starts, len(starts))
    width, originals = len(terms), len(starts) - 1
    weights = _mapped(folder, "topic_weights", (width, originals), (0, 0))
    return Index(
        space=Space(terms, _mapped(folder, "space_idf", (width,)), scale.texts),
        topics=Topics(weights.astype(np.float32), _mapped(folder, "topic_bias", (originals,))),
        network=_read_network(folder, width, originals) if weights.size else None,
        rows=Rows(
            similar=_matrix(folder, "similar", (len(SIMILAR) * originals, width)),
            squared=_matrix(folder, "squared", (len(SQUARED) * originals, width)),
            present=_matrix(folder, "present", ((len(PRESENT) + 1) * originals, width)),
            duplicates=_matrix(folder, "duplicates", (int(starts[-1]), width)),
            owner_starts=starts,
            family_lengths=_mapped(folder, "family_lengths", (originals, 2)),
            meanings=_read_meanings(folder, originals, int(starts[-1]), scale.dimensions),
        ),
        postings=_read_postings(folder, width, originals),
        scale=Scale(scale.average_words, scale.families, scale.family_entries),
    )


def _read_meanings(
    folder: Path, originals: int, duplicates: int, dimensions: int
) -> Meanings | None:
    if not dimensions:
        return None
    shapes = [(rows, dimensions) for rows in (originals, originals, originals, duplicates)]
    names = zip(MEANINGS, shapes, strict=True)
    return Meanings(*(_mapped(folder, name, shape) for name, shape in names)).widened()


def _read_encoder(folder: Path, dimensions: int) -> Encoder:
    encoder = load_encoder(folder)
    if encoder.dimensions != dimensions:
        raise ModelFolderError(folder / GRAPH_FILE, "does not fit the model's arrays")
    return encoder


def _read_network(folder: Path, width: int, originals: int) -> Network:
    return Network(
        terms=_mapped(folder, "network_terms", (width, UNITS)).astype(np.float32),
        terms_bias=_mapped(folder, "network_terms_bias", (UNITS,)),
        units=_mapped(folder, "network_units", (UNITS, originals)).astype(np.float32),
        units_bias=_mapped(folder, "network_units_bias", (originals,)),
    )


def _read_postings(folder: Path, width: int, originals: int) -> Postings:
    starts = _mapped(folder, "postings_starts")
    owners = _mapped(folder, "postings_owners")
    _require_starts(folder, "postings_starts", starts, width + 1, len(owners))
    _require_below(folder, "postings_owners", originals)
    weights = _mapped(folder, "postings_weights", owners.shape)
    return Postings(starts, owners, weights, originals)


def _read_originals(folder: Path, originals: int) -> StoredOriginals:
    ends = _mapped(folder, "original_ends", (originals,))
    texts = _mapped(folder, "original_texts")
    starts = np.concatenate((np.zeros(1, np.int64), ends))
    _require_starts(folder, "original_ends", starts, originals + 1, len(texts))
    return StoredOriginals(
        ids=_mapped(folder, "original_ids", (originals,)),
        answer_ids=_mapped(folder, "original_answer_ids", (originals,)),
        ends=ends,
        texts=texts,
    )


def _matrix(folder: Path, name: str, shape: tuple[int, int]) -> csr_array:
    data, indices = _mapped(folder, f"{name}_data"), _mapped(folder, f"{name}_indices")
    indptr = _mapped(folder, f"{name}_indptr")
    _require_starts(folder, f"{name}_indptr", indptr, shape[0] + 1, len(indices))
    _require_below(folder, f"{name}_indices", shape[1])
    _require(folder, f"{name}_data", data.shape == indices.shape)
    return csr_array((data, indices, indptr), shape=shape)


def _mapped(folder: Path, name: str, *shapes: tuple[int, ...]) -> NDArray[Any]:
    """Map one of `ARRAYS`, of one of the shapes; of one dimension if none is given."""
    path = array_file(folder, name)
    try:
        # As a plain array: each slice of numpy's own class for maps costs more than what it holds.
        array = np.asarray(np.lib.format.open_memmap(path, mode="r"))
    except (OSError, EOFError, ValueError, SyntaxError):
        raise ModelFolderError(path, "does not hold an array of a model") from None
    fits = array.shape in shapes if shapes else array.ndim == 1
    _require(folder, name, array.dtype == (ARRAYS | MEANINGS)[name] and fits)
    return array


def _require_starts(
    folder: Path, name: str, starts: NDArray[Any], length: int, last: int | None = None
) -> None:
    """Require ascending places, the first 0, the last `last`."""
    fits = len(starts) == length > 0 and starts[0] == 0 and bool((np.diff(starts) >= 0).all())
    _require(folder, name, fits and last in (None, starts[-1]))


def _require_below(folder: Path, name: str, end: int) -> None:
    """Require all values to be from 0 to `end`, through a map of its own, which is given up."""
    array = _mapped(folder, name)
    pieces = (array[start : start + _AT_ONCE] for start in range(0, len(array), _AT_ONCE))
    _require(folder, name, all(piece.min() >= 0 and piece.max() < end for piece in pieces))


def _require(folder: Path, name: str, condition: bool) -> None:
    if not condition:
        raise ModelFolderError(array_file(folder, name), "does not fit the model's other arrays")


def _write_json(path: Path, document: BaseModel) -> None:
    path.write_bytes(orjson.dumps(document.model_dump()))


def _read_json(path: Path, schema: type[_Document]) -> _Document:
    try:
        return schema.model_validate(orjson.loads(path.read_bytes()))
    except (orjson.JSONDecodeError, ValidationError):
        raise ModelFolderError(path, "does not hold what this version expects") from None
    except OSError as error:
        raise ModelFolderError(path, f"cannot be read: {error.strerror}") from None
