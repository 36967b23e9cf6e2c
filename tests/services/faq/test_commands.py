"""The command line trains, evaluates and refuses, with one clear line on bad input."""

from __future__ import annotations

import gzip
import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.faq.__main__ import COMMANDS
from services.faq.storage import load_model
from services.serving.command_line import main
from services.serving.model_folder import read_model_folder
from tests.services.faq.conftest import ROOT, Small, WriteData, compressed_rows


def command(*arguments: str | Path) -> int:
    return main("services.faq", "", COMMANDS, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def model(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "faq"
    assert command("train", "--data", small.folder, "--model", folder, "--name", "small") == 0
    return folder


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    lines = capsys.readouterr().err.strip().splitlines()
    assert not any("Traceback" in line for line in lines)
    return lines[-1]


def test_training_writes_a_folder_with_its_figures(model: Path, small: Small) -> None:
    manifest = read_model_folder(model, kind="faq")
    details = manifest.details
    assert (manifest.name, len(manifest.version)) == ("small", 12)
    assert details["data"]["sha256"] == small.data.sha256
    assert details["data"]["held_out_duplicates"] == len(small.split.held_out)
    assert details["held_out"]["accuracy_at_1"] > 0.4
    assert (
        details["held_out"]["accuracy_at_1"]
        > (details["held_out"]["baselines"]["largest_class"]["accuracy_at_1"])
    )
    assert set(details["libraries"]) == {"numpy", "scipy", "scikit-learn"}
    assert sum(file.stat().st_size for file in model.iterdir()) < 20e6


def test_training_again_gives_the_same_files(model: Path, small: Small, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert command("train", "--data", small.folder, "--model", again, "--name", "small") == 0
    first, second = (read_model_folder(each, kind="faq") for each in (model, again))
    assert first.files == second.files
    assert first.version == second.version


def test_evaluate_prints_the_figures_of_the_manifest(
    model: Path, small: Small, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("evaluate", "--data", small.folder, "--model", model, "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    manifest = read_model_folder(model, kind="faq")
    assert figures.pop("model") == {"name": "small", "version": manifest.version}
    assert figures == manifest.details["held_out"]


def test_evaluate_prints_a_table_with_both_baselines(
    model: Path, small: Small, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("evaluate", "--data", small.folder, "--model", model) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines[1:4]] == [
        "model", "TF-IDF cosine", "largest class",
    ]  # fmt: skip


def test_evaluate_refuses_other_data(
    model: Path, write_data: WriteData, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("evaluate", "--data", write_data(), "--model", model) == 1
    assert "is not the data that" in one_line(capsys)


def test_evaluate_refuses_a_changed_model(
    model: Path, small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = Path(shutil.copytree(model, tmp_path / "changed"))
    with (changed / "index.json").open("ab") as stream:
        stream.write(b" ")
    assert command("evaluate", "--data", small.folder, "--model", changed) == 1
    assert "index.json: differs from its SHA-256" in one_line(capsys)


def test_a_model_of_everything_has_nothing_to_evaluate(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "all"
    assert command("train", "--data", small.folder, "--model", folder, "--holdout", 0) == 0
    details = read_model_folder(folder, kind="faq").details
    assert details["held_out"] is None
    assert details["data"]["training_duplicates"] == len(small.data.duplicates)
    assert details["cross_validated_accuracy_at_1"] > 0.4
    assert command("evaluate", "--data", small.folder, "--model", folder) == 1
    assert "was trained on everything; nothing was held out" in one_line(capsys)


def test_the_url_template_makes_addresses(small: Small, tmp_path: Path) -> None:
    folder = tmp_path / "linked"
    template = "https://stackoverflow.com/q/{id}"
    options = ("--data", small.folder, "--model", folder, "--url-template", template)
    assert command("train", *options) == 0
    original = load_model(folder).originals[0]
    assert original.url == f"https://stackoverflow.com/q/{original.id}"


def test_a_model_under_the_minimum_is_not_written(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "refused"
    options = ("--data", small.folder, "--model", folder, "--min-accuracy", "0.999")
    assert command("train", *options) == 1
    assert "below the minimum of 99.9% (--min-accuracy); no model was written" in one_line(capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_model_of_shuffled_answers_is_not_written(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With wrong labels nothing can be learnt, and the gate must say so."""
    data = Path(shutil.copytree(small.folder, tmp_path / "data"))
    rows = [
        line.split("\t")
        for line in gzip.decompress((data / "dup-q.tsv.gz").read_bytes()).decode().splitlines()
    ]
    answers = [row[1] for row in rows]
    shuffled = [
        [row[0], answers[(7 * number) % len(rows)], *row[2:]] for number, row in enumerate(rows)
    ]
    (data / "dup-q.tsv.gz").write_bytes(compressed_rows(shuffled))
    assert command("train", "--data", data, "--model", tmp_path / "refused") == 1
    assert "below the minimum" in one_line(capsys)
    assert not (tmp_path / "refused").exists()


def test_a_full_disk_leaves_no_model_and_the_old_one_as_it_was(
    model: Path, small: Small, tmp_path: Path
) -> None:
    """A limit on the size of files stands for the full disk: both fail in `write`."""
    old = Path(shutil.copytree(model, tmp_path / "faq"))
    before = read_model_folder(old, kind="faq").sha256
    done = subprocess.run(
        [sys.executable, "-m", "services.faq", "train", "--data", small.folder, "--model", old],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=240,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("services.faq train: ")
    assert "File too large" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["faq"]
    assert read_model_folder(old, kind="faq").sha256 == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--data", "nowhere"), "nowhere/orig-q.tsv.gz: is missing"),
        (("--data", "http://127.0.0.1:9/none"), "cannot be fetched"),
    ],
)
def test_missing_data_is_one_line(
    options: tuple[str, ...],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command("train", "--model", tmp_path / "model", *options) == 1
    assert message in one_line(capsys)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--holdout", "1"), "--holdout (FAQ_HOLDOUT): input should be less than 1"),
        (("--seed", "x"), "--seed (FAQ_SEED): input should be a valid integer"),
        (("--url-template", "javascript:alert({id})"), "must begin with http:// or https://"),
        (("--url-template", "https://a/q"), "must contain {id} once"),
        (("--sha256", "abc"), "three hashes of 64 hexadecimal digits are needed"),
        (("--name", "../x"), "--name (FAQ_NAME)"),
    ],
)
def test_a_bad_setting_is_one_line_and_status_two(
    options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train", "--data", "d", "--model", "m", *options) == 2
    assert message in one_line(capsys)


def test_too_few_questions_are_one_line(
    write_data: WriteData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train", "--data", write_data(), "--model", tmp_path / "model") == 1
    assert "1 originals with 1 duplicates to train on are too few" in one_line(capsys)


def test_a_folder_that_is_no_model_is_not_overwritten(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    assert command("train", "--data", small.folder, "--model", tmp_path) == 1
    assert "is not a model folder; choose another one" in one_line(capsys)
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_the_corpus_command_checks(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("corpus", "--check") == 0
    assert "questions" in capsys.readouterr().out
    assert command("corpus") == 2
    assert "give either --check or --write" in one_line(capsys)


def test_serving_imports_no_training_library() -> None:
    """Scikit-learn and pandas would cost the service memory and start-up time."""
    code = (
        "import sys, services.faq.__main__, services.faq.app;"
        "print([name for name in ('sklearn', 'pandas', 'joblib') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
