"""Small data sets and trained models that the tests of the FAQ service share."""

from __future__ import annotations

import gzip
import importlib.util
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from services.faq.build_encoder import PACKAGE, minilm, write_graph
from services.faq.corpus.build import build_files, write_files
from services.faq.corpus.topics import read_topics
from services.faq.data import DataSet, read_data
from services.faq.encoder import GRAPH_FILE, VOCABULARY_FILE, Encoder, load_encoder
from services.faq.evaluation.questions import HeldOut, held_out
from services.faq.known import Known, known_texts
from services.faq.records import ANSWERS_FILE, DUPLICATES_FILE, ORIGINALS_FILE
from services.faq.split import Split, split_holdout
from services.faq.training import Trained, train
from services.faq.wordpiece import WordPiece

ROOT = Path(__file__).parents[3]
CORPUS = ROOT / "services" / "faq" / "corpus"

Rows = Sequence[Sequence[object]]
WriteData = Callable[..., Path]


def no_progress(steps: Iterable[object], what: str) -> Iterable[object]:
    return steps


def compressed_rows(rows: Rows) -> bytes:
    return gzip.compress("".join("\t".join(map(str, row)) + "\n" for row in rows).encode())


@pytest.fixture
def write_data(tmp_path: Path) -> WriteData:
    """Write the three files; each may be replaced by other rows or by raw bytes."""

    def write(
        originals: Rows | bytes = ((1, 11, "How do I sort?. <p>An array.</p>", "2020-01-01"),),
        duplicates: Rows | bytes = ((101, 11, "sorting. <p>put in order</p>", ""),),
        answers: Rows | bytes = ((11, "<p>Use sort.</p>"),),
    ) -> Path:
        contents = {ORIGINALS_FILE: originals, DUPLICATES_FILE: duplicates, ANSWERS_FILE: answers}
        for name, content in contents.items():
            raw = content if isinstance(content, bytes) else compressed_rows(content)
            (tmp_path / name).write_bytes(raw)
        return tmp_path

    return write


@dataclass(frozen=True)
class Small:
    """Thirty-one questions of the corpus and a model that was trained on a part of them."""

    folder: Path
    data: DataSet
    known: Known
    split: Split
    trained: Trained


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    folder = tmp_path_factory.mktemp("small")
    write_files(build_files(read_topics()[:31]), folder)
    data = read_data(folder)
    known = known_texts(data)
    split = split_holdout(data.owners, 0.2, seed=0)
    trained = train(known.with_only(split.training), 0, no_progress)
    return Small(folder, data, known, split, trained)


@pytest.fixture(scope="session")
def questions(small: Small) -> HeldOut:
    """The held-out questions of the small data set."""
    return held_out(small.data, small.split, 0)


@pytest.fixture(scope="session")
def trained_faq_folder(faq_model: Path) -> Path:
    """A model folder trained on the whole corpus by the command line."""
    return faq_model


@pytest.fixture(scope="session")
def banking77() -> Path:
    """The shared evaluation data, where it is there."""
    shared = Path(os.environ.get("SCORING_SHARED", ROOT.parent / "shared"))
    folder = shared / "data" / "banking77"
    if not folder.is_dir():
        pytest.skip(f"no evaluation data at {folder}; set SCORING_SHARED")
    return folder


DIMENSIONS = 16
"""Of the tiny encoder."""
_PIECES = (
    "[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyz",
    *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"),
    "array", "sort", "file", "read", "object", "function", "number", "string", "duplicate", "?", ".",
)  # fmt: skip


def tiny_weights() -> dict[str, np.ndarray]:
    """Random weights of a transformer of two layers, by the names of BERT's."""
    random = np.random.default_rng(0)

    def weights(*shape: int) -> np.ndarray:
        return (random.standard_normal(shape) * 0.3).astype(np.float32)

    found = {
        "embeddings.word_embeddings.weight": weights(len(_PIECES), DIMENSIONS),
        "embeddings.position_embeddings.weight": weights(64, DIMENSIONS),
        "embeddings.token_type_embeddings.weight": weights(2, DIMENSIONS),
        "embeddings.LayerNorm.weight": 1 + weights(DIMENSIONS),
        "embeddings.LayerNorm.bias": weights(DIMENSIONS),
    }
    inner = 2 * DIMENSIONS
    for layer in ("encoder.layer.0.", "encoder.layer.1."):
        shapes = {
            "attention.self.query": (DIMENSIONS, DIMENSIONS),
            "attention.self.key": (DIMENSIONS, DIMENSIONS),
            "attention.self.value": (DIMENSIONS, DIMENSIONS),
            "attention.output.dense": (DIMENSIONS, DIMENSIONS),
            "attention.output.LayerNorm": (DIMENSIONS,),
            "intermediate.dense": (inner, DIMENSIONS),
            "output.dense": (DIMENSIONS, inner),
            "output.LayerNorm": (DIMENSIONS,),
        }
        for name, shape in shapes.items():
            found[f"{layer}{name}.weight"] = weights(*shape)
            found[f"{layer}{name}.bias"] = weights(shape[0])
    return found


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return write_tiny_encoder(tmp_path_factory.mktemp("encoder"))


def write_tiny_encoder(folder: Path) -> Encoder:
    """An encoder of random weights: all that the real one does, but for knowing what texts mean."""
    write_graph(tiny_weights(), folder / GRAPH_FILE, heads=2)
    (folder / VOCABULARY_FILE).write_text("".join(f"{piece}\n" for piece in _PIECES))
    return load_encoder(folder)


@pytest.fixture(scope="session")
def minilm_encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """The real one, where `make embedding` has fetched its weights."""
    if importlib.util.find_spec(PACKAGE) is None:
        pytest.skip(f"{PACKAGE} is not installed: make embedding")
    return minilm(tmp_path_factory.mktemp("minilm"))


@pytest.fixture(scope="session")
def minilm_vocabulary(minilm_encoder: Encoder) -> WordPiece:
    return minilm_encoder.vocabulary
