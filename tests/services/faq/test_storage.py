"""A model comes back from its folder as it was, or not at all."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest

from services.faq.app import FaqModel, load
from services.faq.settings import FaqSettings
from services.faq.storage import (
    ARRAYS,
    CLASSIFIER_FILE,
    EXAMPLES_FILE,
    INDEX_FILE,
    KIND,
    Example,
    StoredModel,
    array_file,
    load_model,
    save_model,
)
from services.faq.stored_originals import StoredOriginal, StoredOriginals
from services.serving.model import ModelRejected
from services.serving.model_folder import (
    ModelFolderError,
    new_model_folder,
    read_model_folder,
)
from tests.services.faq.conftest import Small

ARRAY_FILES = [f"{name}.npy" for name in ARRAYS]
FILES = [CLASSIFIER_FILE, EXAMPLES_FILE, INDEX_FILE, *ARRAY_FILES]


@pytest.fixture(scope="module")
def stored(small: Small) -> StoredModel:
    originals = StoredOriginals.of(
        StoredOriginal(
            id=each.id, answer_id=each.answer_id, title=each.title, url=None,
            html=each.html, answer_html=each.answer_html,
        )
        for each in small.data.originals
    )  # fmt: skip
    return StoredModel(small.trained.scorer, originals, ())


@pytest.fixture(scope="module")
def folder(stored: StoredModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    destination = tmp_path_factory.mktemp("stored") / "model"
    with new_model_folder(destination, kind=KIND, name="faq", version="1") as draft:
        save_model(stored, draft.folder)
    return destination


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def test_a_loaded_model_scores_bit_for_bit_as_the_trained_one(
    folder: Path, stored: StoredModel, small: Small
) -> None:
    loaded = load_model(folder)
    questions = small.known.duplicates[:40]
    pairs = zip(stored.scorer.rank(questions), loaded.scorer.rank(questions), strict=True)
    for trained, again in pairs:
        np.testing.assert_array_equal(trained.scores, again.scores)
        np.testing.assert_array_equal(trained.positions, again.positions)
        assert trained.low_signal == again.low_signal
    assert list(loaded.originals) == list(stored.originals)
    assert loaded.originals[-1] == stored.originals[30]


def test_the_same_model_is_written_as_the_same_bytes(
    folder: Path, stored: StoredModel, tmp_path: Path
) -> None:
    save_model(stored, tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_is_noticed(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(ModelFolderError, match=rf"{name}: differs from its SHA-256"):
        read_model_folder(copy, kind=KIND)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelFolderError, match=rf"{name}: is missing"):
        load(FaqSettings(model=copy))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"", b"{}", b"PK\x03\x04 nonsense", b"[1, 2"])
def test_a_file_of_another_form_is_refused(copy: Path, name: str, content: bytes) -> None:
    (copy / name).write_bytes(content)
    with pytest.raises(ModelFolderError, match=name):
        load_model(copy)


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_of_another_type_or_shape_is_refused(copy: Path, name: str) -> None:
    path = array_file(copy, name)
    array = np.load(path)
    for other in (
        np.asarray([{"a": 1}], dtype=object),
        array.astype(np.complex64),
        array.reshape(*array.shape, 1),
        array[: len(array) // 2],
    ):
        np.save(path, other)
        with pytest.raises(ModelFolderError, match=r"\.npy: does not"):
            load_model(copy)


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("similar_indices", 0, 2**30),
        ("present_indices", 7, -1),
        ("postings_owners", -1, 31),
        ("duplicates_indptr", 5, 2**30),
        ("postings_starts", 3, -1),
        ("owner_starts", 0, 1),
        ("original_ends", 2, 0),
        ("space_terms", 1, 0),
    ],
)
def test_arrays_that_point_elsewhere_are_refused(
    copy: Path, name: str, place: int, value: int
) -> None:
    path = array_file(copy, name)
    array = np.load(path)
    array[place] = value
    np.save(path, array)
    with pytest.raises(ModelFolderError, match=rf"{name}\.npy: does not fit"):
        load_model(copy)


def test_a_model_answers_after_its_folder_is_gone(
    copy: Path, stored: StoredModel, small: Small
) -> None:
    """A new model is exchanged for the old one and the old one removed, while it still serves."""
    loaded = load_model(copy)
    shutil.rmtree(copy)
    question = small.known.duplicates[3]
    expected, ranking = stored.scorer.rank([question])[0], loaded.scorer.rank([question])[0]
    np.testing.assert_array_equal(ranking.scores, expected.scores)
    assert list(loaded.originals) == list(stored.originals)


def test_a_folder_that_is_exchanged_while_it_is_read_is_refused(
    copy: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verified was one model, mapped another: which of both it is cannot be told."""

    def load_another(path: Path) -> StoredModel:
        manifest = path / "manifest.json"
        manifest.write_bytes(manifest.read_bytes() + b" ")
        return load_model(path)

    monkeypatch.setattr("services.faq.app.load_model", load_another)
    with pytest.raises(ModelFolderError, match="was exchanged while it was read"):
        load(FaqSettings(model=copy))


def test_a_loaded_model_cannot_be_changed(copy: Path) -> None:
    loaded = load_model(copy)
    for array in (loaded.scorer.index.rows.similar.data, loaded.originals.texts):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_a_model_of_other_features_is_refused(copy: Path) -> None:
    document = json.loads((copy / CLASSIFIER_FILE).read_text())
    document["features"][0] = "other"
    (copy / CLASSIFIER_FILE).write_bytes(orjson.dumps(document))
    with pytest.raises(ModelFolderError, match="has other features; train the model again"):
        load_model(copy)


def test_warm_up_accepts_scores_as_they_were_and_rejects_others(
    stored: StoredModel, folder: Path
) -> None:
    manifest = read_model_folder(folder, kind=KIND)
    best = stored.originals[0]
    text = f"{best.title}. {best.html}"
    model = FaqModel(stored, manifest)
    call = model.operations()[0].accepts  # the operations are there before warm-up
    assert "application/json" in call
    score = _score(model, text, 0)
    good = Example(text=text, first=((best.id, score),))
    FaqModel(replace(stored, examples=(good,)), manifest).warm_up()
    wrong = Example(text=text, first=((best.id, score / 2),))
    with pytest.raises(ModelRejected, match="example 2 is not ranked as it was in training"):
        FaqModel(replace(stored, examples=(good, wrong)), manifest).warm_up()


def _score(model: FaqModel, text: str, position: int) -> float:
    ranking = model.predict([text])[0]
    return float(ranking.scores[ranking.positions == position][0])
