"""A model folder is served only as it was written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from services.resnet.classifier_folder import KIND, read_classifier_folder
from services.resnet.golden import read_golden, write_golden
from services.serving.model_folder import ModelFolderError, file_sha256

FILES = ("golden.npz", "labels.json", "model.onnx", "model.safetensors", "preprocessing.json")


@pytest.fixture
def folder(seeded_folder: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "model"
    shutil.copytree(seeded_folder, copy)
    return copy


def sign_again(folder: Path, name: str) -> None:
    """Put the present hash of a file into the manifest, as its author could."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["files"][name] = file_sha256(folder / name)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def test_a_fetched_folder_says_where_it_is_from(seeded_folder: Path) -> None:
    folder = read_classifier_folder(seeded_folder)
    assert folder.manifest.kind == KIND
    assert folder.architecture == "squeezenet1_1"
    assert folder.manifest.version == "seeded-0"
    assert sorted(folder.manifest.files) == list(FILES)
    assert folder.manifest.details["onnx_parity"] < 1e-4
    assert len(folder.labels) == 1000


@pytest.mark.parametrize("name", FILES)
def test_a_file_with_one_bit_changed_is_refused_by_name(folder: Path, name: str) -> None:
    path = folder / name
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)
    with pytest.raises(ModelFolderError, match=name):
        read_classifier_folder(folder)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_missing_file_is_refused_by_name(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelFolderError, match=name):
        read_classifier_folder(folder)


def test_a_file_that_does_not_belong_there_is_refused_by_name(folder: Path) -> None:
    (folder / "model.pkl").write_bytes(b"cos\nsystem\n")
    with pytest.raises(ModelFolderError, match=r"model\.pkl"):
        read_classifier_folder(folder)


def test_fewer_labels_than_outputs_are_refused(folder: Path) -> None:
    labels = json.loads((folder / "labels.json").read_bytes())
    (folder / "labels.json").write_text(json.dumps(labels[:-1]), encoding="utf-8")
    sign_again(folder, "labels.json")
    with pytest.raises(ModelFolderError, match=r"labels\.json"):
        read_classifier_folder(folder)


def test_a_golden_input_of_another_size_is_refused(folder: Path) -> None:
    path = folder / "golden.npz"
    golden = read_golden(path)
    write_golden(
        type(golden)(
            golden.batch[:, :, :100], golden.logits, golden.top_classes, golden.top_probabilities
        ),
        path,
    )
    sign_again(folder, "golden.npz")
    with pytest.raises(ModelFolderError, match=r"golden\.npz"):
        read_classifier_folder(folder)


@pytest.mark.parametrize("name", ["labels.json", "preprocessing.json", "golden.npz"])
@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\x00\xff"])
def test_a_file_of_another_kind_is_refused_by_name(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    sign_again(folder, name)
    with pytest.raises(ModelFolderError, match=name):
        read_classifier_folder(folder)


def test_a_golden_archive_with_a_pickle_inside_is_not_opened(folder: Path) -> None:
    path = folder / "golden.npz"
    np.savez(path, batch=np.array([{"pickled": True}], dtype=object))
    sign_again(folder, "golden.npz")
    with pytest.raises(ModelFolderError, match=r"golden\.npz"):
        read_classifier_folder(folder)
