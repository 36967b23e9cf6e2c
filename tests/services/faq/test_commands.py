"""The command line trains, evaluates and refuses, with one clear line on bad input."""

from __future__ import annotations

import gzip
import json
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from services.faq import growing
from services.faq.__main__ import COMMANDS
from services.faq.analysis import terms_of_posted
from services.faq.data import read_data
from services.faq.evaluation.baselines.baseline import KnownText, Score, plain
from services.faq.learnt_from import is_learnt, read_learnt
from services.faq.storage import load_model
from services.serving.command_line import main
from services.serving.model_folder import read_model_folder
from tests.services.faq.conftest import CORPUS, ROOT, Small, WriteData, compressed_rows


def command(*arguments: str | Path) -> int:
    return main("services.faq", "", COMMANDS, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def model(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "faq"
    options = ("--data", small.folder, "--model", folder, "--name", "small")
    assert command("train", *options, "--predecessor-trees", "20") == 0
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
    assert details["split"]["held_out"] == len(small.split.held_out)
    assert details["trained_on"] == "training part"
    assert details["evaluation"]["matchers"]["model"]["figures"]["accuracy_at_1"]["value"] > 0.4
    assert details["evaluation"]["differences"]["largest_class"]["accuracy_at_1"]["low"] > 0
    assert details["gate"] == {
        "passed": True, "failures": [], "forced_because": None, "min_accuracy": 0.3,
        "max_calibration_error": 0.1, "served": None, "golden": None,
    }  # fmt: skip
    assert set(details["libraries"]) == {"python", "numpy", "scipy", "scikit-learn"}
    assert sum(file.stat().st_size for file in model.iterdir()) < 20e6


def test_the_model_card_is_for_people(model: Path) -> None:
    card = (model / "MODEL_CARD.md").read_text()
    assert card.startswith("# small ")
    assert "| linear SVM | " in card
    assert "| predecessor's pipeline | " in card
    assert "Passed." in card


def test_training_again_gives_the_same_files(model: Path, small: Small, tmp_path: Path) -> None:
    again = tmp_path / "again"
    options = ("--data", small.folder, "--model", again, "--name", "small")
    assert command("train", *options, "--predecessor-trees", "20") == 0
    first, second = (read_model_folder(each, kind="faq") for each in (model, again))
    assert first.files == second.files
    assert first.version == second.version


EVALUATE = ("evaluate", "--predecessor-trees", "20", "--no-retrain")


def test_evaluate_prints_the_figures_of_the_manifest(
    model: Path, small: Small, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(*EVALUATE, "--data", small.folder, "--model", model, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    manifest = read_model_folder(model, kind="faq")
    assert document["subject"] == {
        "name": "small", "version": manifest.version, "sha256": manifest.sha256,
        "how": "The model of the folder, as it is.",
    }  # fmt: skip
    assert document["split"] == manifest.details["split"]
    recorded = manifest.details["evaluation"]
    assert document["differences"]["predecessor"]["accuracy_at_1"]["low"] > 0
    assert document["differences"] == recorded["differences"]
    for key, matcher in recorded["matchers"].items():
        assert document["matchers"][key]["figures"] == matcher["figures"]
    assert document["latency"]["p50_ms"] > 0


def test_evaluate_prints_a_table_with_every_baseline_and_writes_the_report(
    model: Path, small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report"
    options = ("--data", small.folder, "--model", model, "--report", report)
    assert command(*EVALUATE, *options) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines[1:7]] == [
        "model", "predecessor's pipeline", "linear SVM", "TF-IDF nearest neighbour",
        "TF-IDF cosine", "largest class",
    ]  # fmt: skip
    assert "(20 trees, 20 pairs for each of at most 20,000 duplicates)" in lines[2]
    assert sorted(path.name for path in report.iterdir()) == ["report.html", "report.json"]


def test_a_report_that_cannot_be_written_costs_no_figures(
    model: Path, small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "report.json").mkdir()
    options = ("--data", small.folder, "--model", model, "--report", tmp_path)
    assert command(*EVALUATE, *options) == 1
    captured = capsys.readouterr()
    assert [line.split("  ")[0] for line in captured.out.splitlines()[1:3]] == [
        "model", "predecessor's pipeline",
    ]  # fmt: skip
    assert "report.json" in captured.err.splitlines()[-1]


def test_a_place_where_no_report_can_be_is_found_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    assert command("evaluate", "--data", tmp_path / "none", "--report", taken) == 1
    assert str(taken) in one_line(capsys)


@pytest.mark.slow
def test_evaluate_without_a_model_trains_one(
    model: Path, small: Small, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same data, seed and split: the model of the folder, trained anew."""
    assert command(*EVALUATE, "--data", small.folder, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["subject"]["how"] == "Trained for this evaluation."
    recorded = read_model_folder(model, kind="faq").details["evaluation"]
    assert document["matchers"]["model"]["figures"] == recorded["matchers"]["model"]["figures"]


def test_evaluate_refuses_other_data(
    model: Path, write_data: WriteData, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("evaluate", "--data", write_data(), "--model", model) == 1
    line = one_line(capsys)
    assert "is not the data that" in line
    assert "without --model, a model of this data is trained" in line


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--embedding", "minilm"), "was not trained with --embedding minilm"),
        (("--borrow",), "was not trained with --borrow"),
    ],
)
def test_evaluate_refuses_to_take_a_model_for_another(
    option: tuple[str, ...],
    message: str,
    model: Path,
    small: Small,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(*EVALUATE, "--data", small.folder, "--model", model, *option) == 1
    line = one_line(capsys)
    assert message in line
    assert "without --model, a model of this data is trained" in line


def test_evaluate_takes_what_the_model_was_trained_with(
    model: Path, write_data: WriteData, capsys: pytest.CaptureFixture[str]
) -> None:
    """As from the environment, which `train` was given too."""
    options = ("--embedding", "none", "--no-borrow")
    assert command("evaluate", "--data", write_data(), "--model", model, *options) == 1
    assert "is not the data that" in one_line(capsys)


def test_evaluate_refuses_a_changed_model(
    model: Path, small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = Path(shutil.copytree(model, tmp_path / "changed"))
    with (changed / "index.json").open("ab") as stream:
        stream.write(b" ")
    assert command("evaluate", "--data", small.folder, "--model", changed) == 1
    assert "index.json: differs from its SHA-256" in one_line(capsys)


@pytest.mark.slow
def test_a_model_of_everything_is_never_asked_what_it_has_learnt(
    model: Path, small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its figures, in the manifest as in the report, are those of one that has not learnt it."""
    folder = tmp_path / "all"
    assert command("train", "--data", small.folder, "--model", folder, "--holdout", 0) == 0
    details = read_model_folder(folder, kind="faq").details
    assert details["trained_on"] == "everything"
    learnt = read_learnt(folder)
    assert is_learnt(learnt, small.data.duplicates).all()
    capsys.readouterr()
    assert command(*EVALUATE, "--data", small.folder, "--model", folder, "--json") == 0
    output = capsys.readouterr()
    assert "has learnt from held-out questions; training one that has not" in output.err
    document = json.loads(output.out)
    assert "without the held-out questions" in document["subject"]["how"]
    held_out = read_model_folder(model, kind="faq").details["evaluation"]["matchers"]["model"]
    for figures in (document["matchers"]["model"], details["evaluation"]["matchers"]["model"]):
        assert figures["figures"] == held_out["figures"]


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
    assert "below the minimum of 99.9% (--min-accuracy)" in one_line(capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def shuffled(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small data set with every duplicate given to another original."""
    data = Path(shutil.copytree(small.folder, tmp_path_factory.mktemp("shuffled") / "data"))
    rows = [
        line.split("\t")
        for line in gzip.decompress((data / "dup-q.tsv.gz").read_bytes()).decode().splitlines()
    ]
    answers = [row[1] for row in rows]
    changed = [
        [row[0], answers[(7 * number) % len(rows)], *row[2:]] for number, row in enumerate(rows)
    ]
    (data / "dup-q.tsv.gz").write_bytes(compressed_rows(changed))
    return data


def test_a_model_of_shuffled_answers_is_not_written(
    shuffled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With wrong labels nothing can be learnt; the gate must say so, whatever the minimum."""
    options = ("--data", shuffled, "--model", tmp_path / "refused", "--min-accuracy", 0)
    assert command("train", *options) == 1
    line = one_line(capsys)
    assert "is not plainly better than that of the same answers always (largest class)" in line
    assert line.endswith("; no model was written")
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_worse_than_the_predecessors_pipeline_is_not_written(
    small: Small,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pipeline that knows all answers stands for one that is better than the model."""
    owners = {plain(each.text): each.owner for each in small.data.duplicates}

    def knows_all(known: KnownText, *, trees: int, **_: object) -> Score:
        assert trees == 200
        assert len(known.duplicates) == len(small.split.training)
        return lambda asked: np.eye(len(known.originals))[[owners[text] for text in asked]]

    monkeypatch.setattr("services.faq.evaluation.baselines.predecessor.predecessor", knows_all)
    folder = tmp_path / "refused"
    assert command("train", "--data", small.folder, "--model", folder) == 1
    line = one_line(capsys)
    assert re.search(r"accuracy@1 is \d+\.\d points below that of the baseline", line)
    assert line.count('the baseline "predecessor\'s pipeline" on the same 62 questions') == 2
    assert list(tmp_path.iterdir()) == []


def test_a_refused_model_leaves_the_one_in_place_as_it_was(
    model: Path, shuffled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Path(shutil.copytree(model, tmp_path / "faq"))
    before = read_model_folder(place, kind="faq").sha256
    assert command("train", "--data", shuffled, "--model", place) == 1
    assert "below the minimum of 30.0%" in one_line(capsys)
    assert read_model_folder(place, kind="faq").sha256 == before


def test_the_gate_is_overruled_for_a_reason_that_the_model_keeps(
    shuffled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "forced"
    options = ("--data", shuffled, "--model", folder, "--force", "--reason", "to show a bad one")
    monkeypatch.setattr("services.faq.evaluation.baselines.all.MOST_OF_WORDS", 1)
    assert command("train", *options) == 0
    told = capsys.readouterr().err
    assert "the quality gate is overruled (to show a bad one)" in told
    assert "TF-IDF cosine was not compared: not fitted: " in told
    gate = read_model_folder(folder, kind="faq").details["gate"]
    assert (gate["passed"], gate["forced_because"]) == (False, "to show a bad one")
    assert any("below the minimum of 30.0%" in failure for failure in gate["failures"])
    card = (folder / "MODEL_CARD.md").read_text()
    assert "**Not passed**, overruled because: to show a bad one" in card


@pytest.fixture
def bare(write_data: WriteData) -> Path:
    """Questions and answers, of which nobody has labelled a duplicate."""
    titles = (
        "sort an array of numbers",
        "read a local file",
        "clone an object",
        "parse a JSON string",
    )
    return write_data(
        [
            (n, 10 + n, f"How do I {title}?. <p>{title}</p>", "")
            for n, title in enumerate(titles, 1)
        ],
        [],
        [(10 + n, f"<p>This is how to {title}.</p>") for n, title in enumerate(titles, 1)],
    )


def test_an_faq_without_duplicates_borrows_and_is_written_for_a_reason_only(
    bare: Path,
    small: Small,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("services.faq.training_run.CORPUS", small.folder)
    folder = tmp_path / "bare"
    options = ("--data", bare, "--model", folder, "--borrow")
    assert command("train", *options) == 1
    assert "nothing could be held out, so how good it is cannot be known" in one_line(capsys)
    assert not folder.exists()
    assert command("train", *options, "--force", "--reason", "our first day") == 0
    captured = capsys.readouterr()
    assert "learnt from the repository's own corpus, not from this data" in captured.err
    assert captured.out.startswith("not evaluated: ")
    details = read_model_folder(folder, kind="faq").details
    assert (details["data"]["duplicates"], details["evaluation"]) == (0, None)
    assert details["settings"]["corpus_sha256"] == read_data(CORPUS).sha256
    assert details["gate"]["forced_because"] == "our first day"
    card = (folder / "MODEL_CARD.md").read_text()
    assert "Second stage: learnt from the repository's own corpus" in card
    model = load_model(folder)
    ranking = model.scorer.rank([terms_of_posted("parsing a string with JSON in it")])[0]
    assert model.originals.ids[ranking.positions[0]] == 4


def test_an_faq_without_duplicates_is_told_of_borrowing(
    bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train", "--data", bare, "--model", tmp_path / "model") == 1
    assert "train --borrow learns from the repository's own corpus" in one_line(capsys)


def test_a_good_model_is_not_said_to_be_forced(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "good"
    options = ("--data", small.folder, "--model", folder, "--force", "--reason", "in a hurry")
    assert command("train", *options) == 0
    assert read_model_folder(folder, kind="faq").details["gate"]["forced_because"] is None


@pytest.mark.slow
def test_a_changed_golden_answer_is_named(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [original.id for original in small.data.originals]
    title = small.data.originals[3].title
    golden = tmp_path / "golden.jsonl"
    lines = [{"question": title, "original": ids[20]}, {"question": title, "original": ids[3]}]
    golden.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    options = ("--data", small.folder, "--model", tmp_path / "faq", "--golden", golden)
    assert command("train", *options) == 1
    line = one_line(capsys)
    assert f"1 of 2 golden questions changed (line 1: original {ids[20]} is at place " in line
    assert title not in line
    golden.write_text(f"{json.dumps(lines[1])}\n")
    assert command("train", *options) == 0
    kept = read_model_folder(tmp_path / "faq", kind="faq").details["gate"]["golden"]
    assert kept["questions"] == 1


def test_a_new_model_is_compared_with_the_one_in_place(
    model: Path, small: Small, tmp_path: Path
) -> None:
    place = Path(shutil.copytree(model, tmp_path / "faq"))
    old = read_model_folder(place, kind="faq")
    assert command("train", "--data", small.folder, "--model", place) == 0
    served = read_model_folder(place, kind="faq").details["gate"]["served"]
    assert (served["version"], served["questions"]) == (old.version, len(small.split.held_out))
    at_1 = served["differences"]["accuracy_at_1"]
    assert (at_1["low"], at_1["value"], at_1["high"]) == (0, 0, 0)


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
        (("--data", str(CORPUS), "--split", "time"), "duplicates have no date"),
        (("--data", str(CORPUS), "--split", "own"), "the data has no split of its own"),
        (("--data", str(CORPUS), "--golden", "none.jsonl"), "none.jsonl: cannot be read"),
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
        (("--force",), "overruling the quality gate (force) needs a reason (reason)"),
        (("--split", "random"), "--split (FAQ_SPLIT): input should be 'auto', 'own', 'time' or"),
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


def test_more_terms_than_a_model_can_hold_are_one_line(
    small: Small,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(growing, "MOST_ENTRIES", 1_000)
    for options in (("train", "--model", tmp_path / "model"), ("evaluate", "--no-retrain")):
        assert command(*options, "--data", small.folder) == 1
        assert "more terms than one model can hold: leave some out" in one_line(capsys)
    assert not (tmp_path / "model").exists()


def test_a_folder_that_is_no_model_is_not_overwritten(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    assert command("train", "--data", small.folder, "--model", tmp_path) == 1
    assert "is not a model folder; choose another one" in one_line(capsys), "before any training"
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
