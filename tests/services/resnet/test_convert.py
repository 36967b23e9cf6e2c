"""`convert` refuses a destination that would cost a model, before it does anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.resnet.__main__ import run
from services.resnet.classifier_folder import KIND
from services.serving.model_folder import new_model_folder, read_model_folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A model folder, of which nothing has to be read."""
    folder = tmp_path / "source"
    with new_model_folder(folder, kind=KIND, name="network", version="1") as draft:
        (draft.folder / "model.onnx").write_bytes(b"graph")
    return folder


def refused(source: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Convert, which must fail in one line and leave the source as it was; return the line."""
    before = read_model_folder(source, kind=KIND)
    assert run(["convert", "--source", str(source), "--model", str(model)]) == 1
    assert read_model_folder(source, kind=KIND) == before
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    return line


def test_the_source_is_not_replaced_by_what_is_made_of_it(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = tmp_path / "link"
    link.symlink_to(source)
    for model in (source, link, source / "converted", source.parent):
        assert "choose another folder" in refused(source, model, capsys)


def test_a_folder_that_is_no_model_is_refused_before_any_work(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "notes.txt").write_text("mine")
    assert "is not a model folder" in refused(source, taken, capsys)
