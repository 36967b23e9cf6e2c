"""A model with a sentence encoder is trained, stored, served and added to as one without."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from services.faq.add_to_index import Added, add_to_index
from services.faq.analysis import terms_of_posted
from services.faq.data import DataSet
from services.faq.embedding import Embedding, embedding_of
from services.faq.embedding_kind import EmbeddingKind
from services.faq.encoder import GRAPH_FILE, Encoder
from services.faq.features import FEATURES, WITH_MEANING
from services.faq.known import Known, known_texts
from services.faq.meanings import Meanings
from services.faq.space import Float32s
from services.faq.storage import StoredModel, array_file, load_model, save_model
from services.faq.training import out_of_fold
from services.faq.training_run import stored_model, train_on
from services.serving.model_folder import ModelFolderError
from tests.services.faq.conftest import DIMENSIONS, Small, no_progress

ORIGINALS = 5
QUESTIONS = [terms_of_posted(text) for text in ("sort an array", "zzz", "read a file of numbers")]


@pytest.fixture(scope="module")
def few(small: Small) -> DataSet:
    """Five originals and their duplicates: enough to train on, and quick."""
    duplicates = [each for each in small.data.duplicates if each.owner < ORIGINALS]
    return replace(small.data, originals=small.data.originals[:ORIGINALS], duplicates=duplicates)


@pytest.fixture(scope="module")
def embedding(tiny_encoder: Encoder) -> Embedding:
    return Embedding(tiny_encoder, no_progress)


@pytest.fixture(scope="module")
def known(few: DataSet, embedding: Embedding) -> Known:
    return known_texts(few, encode=embedding.encode)


@pytest.fixture(scope="module")
def model(few: DataSet, embedding: Embedding) -> StoredModel:
    return stored_model(train_on(few, 0, embedding).scorer, few, "")


@pytest.fixture
def folder(model: StoredModel, tmp_path: Path) -> Path:
    save_model(model, tmp_path)
    return tmp_path


def test_the_model_has_the_features_of_meaning_and_weights_for_them(model: StoredModel) -> None:
    weights = model.scorer.classifier.weights
    assert len(weights) == len(WITH_MEANING.names) > len(FEATURES)
    assert weights[WITH_MEANING.names.index("meaning_view_best")] != 0


def test_a_model_is_served_as_it_was_trained(model: StoredModel, folder: Path) -> None:
    served = load_model(folder).scorer
    for one, other in zip(model.scorer.rank(QUESTIONS), served.rank(QUESTIONS), strict=True):
        np.testing.assert_array_equal(one.scores, other.scores)
    alone = served.rank(QUESTIONS[:1])[0]
    np.testing.assert_array_equal(alone.scores, served.rank(QUESTIONS)[0].scores)


def test_the_meaning_of_a_question_changes_its_scores(model: StoredModel) -> None:
    question = QUESTIONS[0]
    other = replace(question, sentence="completely different words")
    first, second = model.scorer.rank([question, other])
    assert abs(np.sort(first.scores) - np.sort(second.scores)).max() > 1e-6


def test_a_question_does_not_meet_its_own_vector_in_training(few: DataSet) -> None:
    """Where every text has a direction of its own, none of the known ones has that of the question."""

    def encode(texts: Sequence[str]) -> Float32s:
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) for text in texts]
        drawn = [np.random.default_rng(seed).standard_normal(256) for seed in seeds]
        vectors = np.asarray(drawn, np.float32).reshape(-1, 256)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    assert len({each.text for each in few.duplicates}) == len(few.duplicates)
    held = out_of_fold(known_texts(few, encode=encode), 0, no_progress)
    own = held.features[WITH_MEANING.names.index("meaning_duplicate_best")]
    assert 0 < own.max() < 0.5


def test_questions_without_vectors_are_not_compared_with_texts_that_have_some(
    model: StoredModel, small: Small
) -> None:
    with pytest.raises(ValueError, match="vectors are needed"):
        replace(model.scorer, encoder=None).rank(QUESTIONS)
    with pytest.raises(ValueError, match="vectors are needed"):
        replace(small.trained.scorer, encoder=model.scorer.encoder).rank(QUESTIONS)


def test_known_texts_are_read_once(few: DataSet, tiny_encoder: Encoder) -> None:
    read: list[str] = []

    def noting(texts: Iterable[str], what: str) -> Iterable[str]:
        read.extend(texts)
        return list(texts)

    embedding = Embedding(tiny_encoder, noting)
    first = known_texts(few, encode=embedding.encode).meanings
    once = len(read)
    second = known_texts(few, encode=embedding.encode).meanings
    assert len(read) == once == len(set(read))
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first.duplicates, second.duplicates)


def test_what_is_added_is_as_if_it_had_been_there(
    few: DataSet, embedding: Embedding, model: StoredModel
) -> None:
    """The vectors of an index that a duplicate was added to are those of an index made with it."""
    whole = known_texts(few, encode=embedding.encode)
    index = model.scorer.index
    nothing = known_texts(DataSet([], [], {}, ""), encode=embedding.encode)
    more = replace(whole.with_only(np.asarray([3])), owners=whole.owners[[3]])
    extended = add_to_index(index, Added(nothing, more, np.arange(ORIGINALS))).rows.meanings
    owner = int(whole.owners[3])
    before = index.rows.meanings
    assert before is not None
    assert extended is not None
    assert whole.meanings is not None
    assert len(extended.duplicates) == len(before.duplicates) + 1
    starts = index.rows.owner_starts
    own = before.duplicates[starts[owner] : starts[owner + 1]]
    expected = before.originals[owner] + own.sum(axis=0) + whole.meanings.duplicates[3]
    np.testing.assert_allclose(
        extended.families[owner], expected / np.linalg.norm(expected), atol=2e-3
    )
    others = np.arange(ORIGINALS) != owner
    np.testing.assert_array_equal(extended.families[others], before.families[others])


def test_families_are_of_length_1_whatever_they_have() -> None:
    vectors = np.eye(4, DIMENSIONS, dtype=np.float32)
    meanings = Meanings.of(vectors[:2], vectors[:2], vectors[2:], np.asarray([0, 2, 2]))
    np.testing.assert_allclose(np.linalg.norm(meanings.families, axis=1), 1, atol=1e-3)
    np.testing.assert_array_equal(meanings.families[1], vectors[1])


@pytest.mark.parametrize("name", ["meaning_families", "meaning_duplicates"])
def test_vectors_that_do_not_fit_are_refused(folder: Path, name: str) -> None:
    np.save(array_file(folder, name), np.zeros((1, DIMENSIONS), np.float16))
    with pytest.raises(ModelFolderError, match=f"{name}.npy: does not fit"):
        load_model(folder)


def test_a_model_without_its_encoder_is_refused(folder: Path) -> None:
    (folder / GRAPH_FILE).unlink()
    with pytest.raises(ModelFolderError, match=f"{GRAPH_FILE}: is missing"):
        load_model(folder)


def test_no_embedding_needs_nothing() -> None:
    assert embedding_of(EmbeddingKind.NONE, no_progress) is None
