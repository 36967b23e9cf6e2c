"""`add` puts an extended model in the place of the old one, or leaves it as it was."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from services.faq import add_command
from services.faq.__main__ import COMMANDS
from services.faq.app import load
from services.faq.attribution import ATTRIBUTION_FILE, Attribution
from services.faq.golden import GOLDEN_FILE
from services.faq.settings import FaqSettings
from services.faq.storage import StoredModel, load_model, save_model
from services.serving.command_line import main
from services.serving.model_folder import MANIFEST, new_model_folder, read_model_folder
from tests.services.faq.conftest import Small, WriteData

NEW_ORIGINAL = (77, 777, "Quagga in the zoo. <p>How do I feed a quagga in the zoo?</p>", "")
NEW = {
    "originals": [NEW_ORIGINAL],
    "answers": [(777, "<p>Give the quagga hay.</p>")],
    "duplicates": [(8_001, 777, "what do zoo animals eat. <p>a quagga for example</p>", "")],
}


def command(*arguments: str | Path) -> int:
    return main("services.faq", "", COMMANDS, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def trained(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "faq"
    assert command("train", "--data", small.folder, "--model", folder, "--holdout", "0") == 0
    return folder


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "model"))


def trained_with(trained: Path, folder: Path, **settings: object) -> Path:
    """A copy of the model whose manifest says that it was trained with other settings."""
    manifest = read_model_folder(trained, kind="faq")
    with new_model_folder(folder, kind="faq", name="faq", version="1") as draft:
        for name in manifest.files:
            shutil.copyfile(trained / name, draft.folder / name)
        changed = {**manifest.details["settings"], **settings}
        draft.details.update({**manifest.details, "settings": changed})
    return folder


def test_a_new_question_is_found_and_the_others_as_before(
    model: Path, small: Small, write_data: WriteData, capsys: pytest.CaptureFixture[str]
) -> None:
    before = load(FaqSettings(model=model))
    assert command("add", "--data", write_data(**NEW), "--model", model) == 0
    lines = capsys.readouterr().err.splitlines()
    assert "1 new originals, 1 new duplicates" in lines
    assert any("of 8 golden examples have another first place" in line for line in lines)
    after = load(FaqSettings(model=model))
    after.warm_up()
    question = "feeding a quagga that lives in a zoo"
    assert after.predict([question])[0].positions[0] == 0  # by id, it comes before all others
    asked = [f"{each.text.title} {each.text.prose}" for each in small.data.duplicates[:40]]
    pairs = zip(before.predict(asked), after.predict(asked), strict=True)
    same = [old.positions[0] + 1 == new.positions[0] for old, new in pairs]
    assert np.mean(same) > 0.9
    assert before.predict([asked[0]])[0].scores.size == 31, "the old model still answers"


def test_the_manifest_tells_what_was_added_to_what(
    model: Path, write_data: WriteData, small: Small
) -> None:
    old = read_model_folder(model, kind="faq")
    assert command("add", "--data", write_data(**NEW), "--model", model) == 0
    new = read_model_folder(model, kind="faq")
    assert (new.name, new.version != old.version) == (old.name, True)
    [entry] = new.details["added"]
    assert (entry["originals"], entry["duplicates"]) == (1, 1)
    assert entry["to_version"] == old.version
    assert {**old.details, "added": new.details["added"]} == new.details


def test_a_second_addition_keeps_what_is_known_of_the_first(
    model: Path, write_data: WriteData
) -> None:
    """Versions, card, addresses and whose the texts are: all as after a training."""
    folder = write_data(**NEW)
    line = Attribution(kind="original", id=77, url="https://a.example/77", author="Ann").line()
    (folder / ATTRIBUTION_FILE).write_bytes(gzip.compress(line))
    assert command("add", "--data", folder, "--model", model) == 0
    assert load_model(model).originals[0].attribution == Attribution.model_validate_json(line)
    assert load_model(model).originals[0].url == "https://a.example/77"
    first = read_model_folder(model, kind="faq")
    assert "1 originals, 1 duplicates" in (model / "MODEL_CARD.md").read_text()
    more = [(8_002, 777, "hay or grass for my quagga", "")]
    assert (
        command("add", "--data", write_data(**{**NEW, "duplicates": more}), "--model", model) == 0
    )
    second = read_model_folder(model, kind="faq")
    assert [each["duplicates"] for each in second.details["added"]] == [1, 1]
    assert second.details["added"][1]["to_version"] == first.version
    card = (model / "MODEL_CARD.md").read_text()
    assert second.version in card.splitlines()[0]
    assert "0 originals, 1 duplicates" in card


def test_an_added_original_has_an_address_like_the_others(
    trained: Path, tmp_path: Path, write_data: WriteData
) -> None:
    """From the template that the model was trained with."""
    model = trained_with(trained, tmp_path / "linked", url_template="https://a.example/q/{id}")
    assert command("add", "--data", write_data(**NEW), "--model", model) == 0
    assert load_model(model).originals[0].url == "https://a.example/q/77"


def test_texts_that_the_model_was_trained_without_are_not_added(
    trained: Path, tmp_path: Path, write_data: WriteData, capsys: pytest.CaptureFixture[str]
) -> None:
    model = trained_with(trained, tmp_path / "long", min_text=20)
    more = [*NEW["duplicates"], (8_002, 777, "quagga hay", "")]
    folder = write_data(**{**NEW, "duplicates": more})
    assert command("add", "--data", folder, "--model", model) == 0
    counted = "1 new originals, 1 new duplicates, 1 duplicates with too little text left out"
    assert counted in capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("settings", "is_said"),
    [({"min_duplicates": 2}, True), ({}, False), ({"min_duplicates": 2, "borrow": True}, False)],
)
def test_new_originals_that_the_next_training_would_leave_out_are_added_and_counted(
    settings: dict[str, object],
    is_said: bool,
    trained: Path,
    tmp_path: Path,
    write_data: WriteData,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is new can hardly have been asked again yet."""
    model = trained_with(trained, tmp_path / "often", **settings)
    assert command("add", "--data", write_data(**NEW), "--model", model) == 0
    assert len(load_model(model).originals) == 32
    line = "1 of the new originals have too few duplicates for --min-duplicates 2, which the model"
    assert (line in capsys.readouterr().err) is is_said


def test_the_same_again_is_nothing_new_and_changes_nothing(
    model: Path, write_data: WriteData, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_data(**NEW)
    assert command("add", "--data", folder, "--model", model, "--version", "two") == 0
    before = read_model_folder(model, kind="faq")
    assert before.version == "two"
    assert command("add", "--data", folder, "--model", model) == 1
    assert "holds nothing new" in capsys.readouterr().err.splitlines()[-1]
    assert read_model_folder(model, kind="faq").sha256 == before.sha256


def test_much_that_is_added_calls_for_training(
    model: Path, write_data: WriteData, capsys: pytest.CaptureFixture[str]
) -> None:
    many = [(9_000 + each, 777, f"quagga number {each}", "") for each in range(60)]
    assert (
        command("add", "--data", write_data(**{**NEW, "duplicates": many}), "--model", model) == 0
    )
    assert "61 texts were added to the 310 that the model was trained on" in capsys.readouterr().err


def test_a_golden_question_that_would_be_answered_differently_leaves_the_model(
    model: Path, write_data: WriteData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_model_folder(model, kind="faq")
    stored = load_model(model)
    question = "feeding a quagga that lives in a zoo"
    (first,) = load(FaqSettings(model=model)).predict([question])
    right, wrong = (int(stored.originals.ids[first.positions[place]]) for place in (0, -1))
    folder = write_data(**NEW)
    golden = tmp_path / "ours.jsonl"
    for now, added in ((right, False), (wrong, True)):
        golden.write_text(json.dumps({"question": question, "original": now}))
        status = command("add", "--data", folder, "--model", model, "--golden", golden)
        line = capsys.readouterr().err.splitlines()
        assert (status == 0) is added, "what was wrong before is no reason against it"
        assert question not in "".join(line)
        if not added:
            assert "1 of 1 golden questions changed" in line[-1]
            assert "nothing was added" in line[-1]
            assert read_model_folder(model, kind="faq").sha256 == before.sha256


def test_an_added_original_has_to_be_found_by_its_golden_question(
    model: Path, small: Small, write_data: WriteData
) -> None:
    folder = write_data(**NEW)
    known = small.data.duplicates[0].text
    for question, status in ((f"{known.title} {known.prose}", 1), ("a quagga in the zoo", 0)):
        golden = json.dumps({"question": question, "original": 77})
        (folder / GOLDEN_FILE).write_text(golden)
        assert command("add", "--data", folder, "--model", model) == status


def test_a_model_that_was_trained_meanwhile_is_not_lost(
    model: Path,
    write_data: WriteData,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def trained_meanwhile(stored: StoredModel, folder: Path) -> None:
        save_model(stored, folder)
        (model / MANIFEST).write_bytes((model / MANIFEST).read_bytes() + b"\n")

    monkeypatch.setattr(add_command, "save_model", trained_meanwhile)
    assert command("add", "--data", write_data(**NEW), "--model", model) == 1
    assert "holds another model than when this began" in capsys.readouterr().err
    assert len(load_model(model).originals) == 31


@pytest.mark.parametrize("data", ["nowhere", "empty"])
def test_bad_data_is_one_line_and_the_model_stays(
    model: Path, tmp_path: Path, data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    before = read_model_folder(model, kind="faq").sha256
    assert command("add", "--data", tmp_path / data, "--model", model) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "orig-q.tsv.gz: is missing" in line
    assert read_model_folder(model, kind="faq").sha256 == before
