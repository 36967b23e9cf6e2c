"""What a text means is a vector of length 1 that depends on the text alone; bad files are refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from services.faq.build_encoder import EmbeddingUnavailable, minilm, write_graph
from services.faq.encoder import (
    GRAPH_FILE,
    MOST_CHARACTERS,
    MOST_PIECES,
    VOCABULARY_FILE,
    Encoder,
    load_encoder,
    sentence_of,
)
from services.faq.text import CleanText
from services.serving.model_folder import ModelFolderError
from tests.services.faq.conftest import DIMENSIONS, tiny_weights

REFERENCE = Path(__file__).parent / "encoder_reference.json"


@pytest.fixture
def folder(tiny_encoder: Encoder, tmp_path: Path) -> Path:
    tiny_encoder.save(tmp_path)
    return tmp_path


def test_a_vector_has_length_1_and_depends_on_its_text_alone(tiny_encoder: Encoder) -> None:
    texts = ["sort an array", "", "read a file " * 40, "🙂"]
    together = tiny_encoder.encode(texts)
    assert together.shape == (4, DIMENSIONS)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_array_equal(tiny_encoder.encode([text])[0], vector)
    assert abs(together[0] - together[2]).max() > 1e-3


def test_no_more_is_read_than_so_many_pieces(tiny_encoder: Encoder) -> None:
    long = "array " * MOST_PIECES
    np.testing.assert_array_equal(*tiny_encoder.encode([long, long + "file " * 1000]))


def test_the_graph_computes_what_the_paper_says(folder: Path) -> None:
    """Devlin et al. 2018, once more in numpy."""
    encoder = load_encoder(folder)
    pieces = encoder.vocabulary.encode("sort an array by number", MOST_PIECES)
    np.testing.assert_allclose(
        encoder.encode(["sort an array by number"])[0],
        expected_meaning(tiny_weights(), pieces, heads=2),
        atol=1e-5,
    )


def expected_meaning(
    weights: Mapping[str, np.ndarray], pieces: list[int], heads: int
) -> np.ndarray:
    from scipy.special import erf, softmax

    def normal(values: np.ndarray, name: str) -> np.ndarray:
        centred = values - values.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12)
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def linear(values: np.ndarray, name: str) -> np.ndarray:
        return values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    text = weights["embeddings.word_embeddings.weight"][pieces]
    text = text + weights["embeddings.position_embeddings.weight"][: len(pieces)]
    text = normal(
        text + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm"
    )
    size = text.shape[1] // heads
    for layer in ("encoder.layer.0.", "encoder.layer.1."):
        parts = [
            linear(text, f"{layer}attention.self.{part}") for part in ("query", "key", "value")
        ]
        seen = []
        for head in range(heads):
            query, key, value = (part[:, head * size : (head + 1) * size] for part in parts)
            seen.append(softmax(query @ key.T / np.sqrt(size), axis=1) @ value)
        attended = linear(np.concatenate(seen, axis=1), f"{layer}attention.output.dense")
        text = normal(attended + text, f"{layer}attention.output.LayerNorm")
        inner = linear(text, f"{layer}intermediate.dense")
        inner = inner * (1 + erf(inner / np.sqrt(2))) / 2
        text = normal(linear(inner, f"{layer}output.dense") + text, f"{layer}output.LayerNorm")
    mean = text.mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_the_same_weights_are_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_graph(tiny_weights(), tmp_path / "again.onnx", heads=2)
    assert (tmp_path / "again.onnx").read_bytes() == (folder / GRAPH_FILE).read_bytes()


def test_title_and_prose_are_read_and_no_code() -> None:
    assert sentence_of(CleanText("Sort", "an array", "a.sort()")) == "Sort. an array"
    assert sentence_of(CleanText("", "an array", "")) == "an array"
    assert len(sentence_of(CleanText("x" * 9999, "", ""))) == MOST_CHARACTERS


@pytest.mark.parametrize("name", [GRAPH_FILE, VOCABULARY_FILE])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelFolderError, match=f"{name}: is missing"):
        load_encoder(folder)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (GRAPH_FILE, b"not a graph", "does not hold a sentence encoder"),
        (GRAPH_FILE, b"", "does not hold a sentence encoder"),
        (VOCABULARY_FILE, b"", "does not hold the pieces"),
        (VOCABULARY_FILE, b"a\nb\nc\n", "does not hold the pieces"),
        (VOCABULARY_FILE, b"[UNK]\n[CLS]\n[SEP]\n" + b"x\n" * 5000, "does not fit its vocabulary"),
        (VOCABULARY_FILE, b"[UNK]\n[CLS]\n[SEP]\n" + b"x\n" * (1 << 21), "does not hold the pieces"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_in_one_line(
    folder: Path, name: str, content: bytes, reason: str
) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(ModelFolderError, match=reason) as refused:
        load_encoder(folder)
    assert "\n" not in str(refused.value)


def test_without_onnx_runtime_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelFolderError, match=r"requirements-embedding\.txt"):
        load_encoder(folder)


def test_without_the_weights_it_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.faq.build_encoder.PACKAGE", "no_such_package_of_weights")
    with pytest.raises(EmbeddingUnavailable, match="make embedding"):
        minilm(tmp_path)


def test_other_weights_than_expected_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "weights_of_somebody"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "model" / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("services.faq.build_encoder.PACKAGE", package.name)
    with pytest.raises(EmbeddingUnavailable, match="is not the file that this version expects"):
        minilm(tmp_path)


def test_minilm_returns_what_its_authors_implementation_does(minilm_encoder: Encoder) -> None:
    """The first numbers, recorded from the same weights in torch with Hugging Face's tokenizer."""
    for text, expected in json.loads(REFERENCE.read_text()).items():
        np.testing.assert_allclose(
            minilm_encoder.encode([text])[0][: len(expected)], expected, atol=1e-4
        )


def test_minilm_finds_a_paraphrase_without_a_common_word(minilm_encoder: Encoder) -> None:
    asked, same, other = minilm_encoder.encode(
        ["How can I remove duplicates from a list?", "get rid of repeated elements", "parse a date"]
    )
    assert asked @ same > asked @ other + 0.2
