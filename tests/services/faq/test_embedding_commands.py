"""A model with a sentence encoder is trained, served over HTTP and added to by the commands."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import httpx
import numpy as np
import pytest

from services.faq.__main__ import COMMANDS
from services.faq.analysis import terms_of_posted
from services.faq.corpus.build import build_files, write_files
from services.faq.corpus.topics import read_topics
from services.faq.embedding import Embedding
from services.faq.encoder import GRAPH_FILE, VOCABULARY_FILE
from services.faq.storage import MEANINGS, array_file, load_model
from services.launch import LaunchedService, launch, running
from services.serving.command_line import main
from services.serving.model_folder import read_model_folder
from tests.services.faq.conftest import WriteData, no_progress
from tests.services.faq.test_add_command import NEW, NEW_ORIGINAL

QUESTIONS = ("How can I keep each value only once?", "qqzx", "read a file, line by line " * 20)


def command(*arguments: str | Path) -> int:
    return main("services.faq", "", COMMANDS, [str(argument) for argument in arguments])


def trained(folder: Path) -> Path:
    """A model of six originals, trained by the command as it is."""
    write_files(build_files(read_topics()[:6]), folder)
    options = ("--data", folder, "--model", folder / "faq", "--predecessor-trees", "1")
    assert command("train", *options, "--embedding", "minilm", "--force", "--reason", "a test") == 0
    return folder / "faq"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Trained with the tiny encoder in the place of the real one."""
    embedding = Embedding(request.getfixturevalue("tiny_encoder"), no_progress)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.faq.train_command.embedding_of", lambda *_: embedding)
        return trained(tmp_path_factory.mktemp("tiny-embedding"))


def scores_over_http(service: LaunchedService, question: str) -> list[tuple[int, float]]:
    answer = httpx.post(
        f"{service.url}/v1/match", json={"question": question, "top_k": 50}, timeout=30
    )
    assert answer.status_code == 200
    return [(match["question_id"], match["score"]) for match in answer.json()["matches"]]


def scores_in_process(folder: Path, question: str) -> list[tuple[int, float]]:
    model = load_model(folder)
    [ranking] = model.scorer.rank([terms_of_posted(question)])
    ids = model.originals.ids[ranking.positions].tolist()
    return list(zip(ids, ranking.scores.tolist(), strict=True))


def assert_served(folder: Path, log_folder: Path, questions: Sequence[str] = QUESTIONS) -> None:
    """Over HTTP, every original has the score that it has in process."""
    with running("services.faq", "--model", folder, log_folder=log_folder) as service:
        for question in questions:
            served, expected = (
                scores_over_http(service, question),
                scores_in_process(folder, question),
            )
            assert [each for each, _ in served] == [each for each, _ in expected]
            np.testing.assert_allclose([s for _, s in served], [s for _, s in expected], rtol=1e-6)


def test_what_is_served_over_http_is_what_is_scored_in_process(model: Path, tmp_path: Path) -> None:
    assert_served(model, tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("minilm_encoder")
def test_minilm_is_trained_and_served(tmp_path: Path) -> None:
    """With the weights of `make embedding`."""
    folder = trained(tmp_path)
    assert_served(folder, tmp_path)
    assert read_model_folder(folder, kind="faq").details["settings"]["embedding"] == "minilm"


def refused(folder: Path, log_folder: Path) -> str:
    """The one line with which the service ends, which has never been ready."""
    service = launch("services.faq", "--model", folder, log_folder=log_folder)
    try:
        assert service.process.wait(60) == 1
    finally:
        service.stop()
    [line] = service.log.read_text().splitlines()
    return line


@pytest.mark.parametrize("name", [GRAPH_FILE, "meaning_families.npy"])
def test_a_folder_without_a_file_of_its_encoder_is_refused_in_one_line(
    model: Path, tmp_path: Path, name: str
) -> None:
    folder = Path(shutil.copytree(model, tmp_path / "faq"))
    (folder / name).unlink()
    assert refused(folder, tmp_path).startswith(f"services.faq serve: {folder / name}: is missing")


def test_without_onnx_runtime_the_service_says_what_to_install(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module of that name that cannot be imported comes first on the path of the service."""
    (tmp_path / "onnxruntime.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    line = refused(model, tmp_path)
    assert line.startswith(f"services.faq serve: {model / GRAPH_FILE}: needs ONNX Runtime")
    assert "requirements-embedding.txt" in line


def test_without_the_weights_training_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("services.faq.build_encoder.PACKAGE", "no_such_package_of_weights")
    write_files(build_files(read_topics()[:6]), tmp_path)
    options = ("--data", tmp_path, "--model", tmp_path / "faq", "--embedding", "minilm")
    assert command("train", *options) == 1
    assert "make embedding" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "faq").exists()


def test_what_is_added_has_vectors_too_and_is_served(
    model: Path, tmp_path: Path, write_data: WriteData
) -> None:
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    before = stored_vectors(folder)
    known = int(load_model(folder).originals.answer_ids[0])
    more = [*NEW["duplicates"], (8_009, known, "another question about the first original", "")]
    data = write_data(**{**NEW, "duplicates": more})
    assert command("add", "--data", data, "--model", folder) == 0
    assert stored_vectors(folder) == [6 + 1, 6 + 1, 6 + 1, before[-1] + 2]
    assert load_model(folder).scorer.index.rows.owner_starts[1] == 1, "its duplicate is its own"
    asked = "feeding a quagga that lives in a zoo"
    assert scores_in_process(folder, asked)[0][0] == NEW_ORIGINAL[0]
    assert_served(folder, tmp_path, (asked,))
    manifest = read_model_folder(folder, kind="faq")
    assert {GRAPH_FILE, VOCABULARY_FILE} <= set(manifest.files)
    assert manifest.details["settings"]["embedding"] == "minilm"


def stored_vectors(folder: Path) -> list[int]:
    """How many vectors a model folder has of originals, answers, families and duplicates."""
    return [len(np.load(array_file(folder, name))) for name in MEANINGS]
