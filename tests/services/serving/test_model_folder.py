"""A model folder is written whole or not at all, and read only as it was written."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.serving import model_folder
from services.serving.model_folder import (
    ModelFolderError,
    new_model_folder,
    read_model_folder,
)
from tests.services.serving.live_service import ROOT


def write(destination: Path, content: str = "weights", **details: object) -> Path:
    with new_model_folder(destination, kind="toy", name="toy", version="1") as draft:
        (draft.folder / "weights.bin").write_text(content)
        (draft.folder / "vocabulary").mkdir()
        (draft.folder / "vocabulary" / "words.txt").write_text("a b c")
        draft.details.update(details)
    return destination


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good model folder."""
    return write(tmp_path / "model")


def rewrite_manifest(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    path = folder / "manifest.json"
    document = orjson.loads(path.read_bytes())
    change(document)
    path.write_bytes(orjson.dumps(document))


def leftovers(folder: Path) -> list[str]:
    return [each.name for each in folder.parent.iterdir() if each != folder]


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    manifest = read_model_folder(write(tmp_path / "a" / "model", accuracy=0.5), kind="toy")

    assert (manifest.name, manifest.version, manifest.details) == ("toy", "1", {"accuracy": 0.5})
    assert sorted(manifest.files) == ["vocabulary/words.txt", "weights.bin"]
    assert len(manifest.sha256) == 64


def test_the_identity_changes_with_the_content_and_only_with_it(tmp_path: Path) -> None:
    def identity(folder: Path) -> str:
        rewrite_manifest(folder, lambda document: document.update(created="then"))
        return read_model_folder(folder, kind="toy").sha256

    same = [identity(write(tmp_path / name, "x")) for name in ("one", "two")]

    assert same[0] == same[1]
    assert identity(write(tmp_path / "three", "y")) != same[0]
    assert identity(write(tmp_path / "four", "x", accuracy=1)) != same[0]


def test_a_new_model_replaces_the_old_one_and_leaves_nothing_behind(folder: Path) -> None:
    write(folder, "better")

    assert (folder / "weights.bin").read_text() == "better"
    assert read_model_folder(folder, kind="toy")
    assert leftovers(folder) == []


def test_a_manifest_that_could_not_be_read_again_is_not_written(folder: Path) -> None:
    with pytest.raises(ModelFolderError, match="model: was not written, as its manifest would"):
        write(folder, "better", history="x" * model_folder.MANIFEST_LIMIT)

    assert (folder / "weights.bin").read_text() == "weights"
    assert read_model_folder(folder, kind="toy")
    assert leftovers(folder) == []


def test_where_folders_cannot_be_exchanged_the_model_is_replaced_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_folder, "_exchange", lambda *_: False)
    write(folder, "better")

    assert (folder / "weights.bin").read_text() == "better"
    assert leftovers(folder) == []


def test_the_old_model_is_never_missing_while_it_is_replaced(folder: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "while True:\n"
        "    try: Path(sys.argv[1], 'manifest.json').stat()\n"
        "    except FileNotFoundError: print('missing'); break\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, folder], stdout=subprocess.PIPE, text=True
    ) as watcher:
        for version in range(60):
            write(folder, f"version {version}")
        watcher.kill()
        assert watcher.stdout is not None
        assert watcher.stdout.read() == ""


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(1)])
def test_after_an_exception_the_old_model_still_loads(folder: Path, error: BaseException) -> None:
    def write_half() -> None:
        with new_model_folder(folder, kind="toy", name="toy", version="2") as draft:
            (draft.folder / "weights.bin").write_text("half")
            raise error

    with pytest.raises(type(error)):
        write_half()

    assert read_model_folder(folder, kind="toy").version == "1"
    assert leftovers(folder) == []


def test_after_a_failed_replacement_the_old_model_still_loads(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_folder, "_exchange", lambda *_: False)
    real = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if target == folder and ".new." in self.name:
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(folder, "half")

    assert read_model_folder(folder, kind="toy")
    assert leftovers(folder) == []


def test_on_a_full_disk_the_old_model_still_loads(folder: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            write(folder, "x" * (128 << 10))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)

    assert read_model_folder(folder, kind="toy").version == "1"
    assert leftovers(folder) == []


def test_a_killed_writer_leaves_the_old_model(folder: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from services.serving.model_folder import new_model_folder\n"
        "with new_model_folder(Path(sys.argv[1]), kind='toy', name='t', version='2') as draft:\n"
        "    (draft.folder / 'weights.bin').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, folder], cwd=ROOT, check=False)

    assert done.returncode == -signal.SIGKILL
    assert read_model_folder(folder, kind="toy").version == "1"


def test_a_folder_that_is_no_model_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")

    with pytest.raises(ModelFolderError, match="is not a model folder"):
        write(tmp_path)
    with pytest.raises(ModelFolderError, match="is a file"):
        write(tmp_path / "thesis.tex")
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize(
    "content",
    ['{"manifest_version": 3, "name": "extension"}', '{"format": 99}', "no JSON", "[" * 100_000],
)
def test_a_folder_whose_manifest_is_of_another_program_is_not_overwritten(
    tmp_path: Path, content: str
) -> None:
    (tmp_path / "manifest.json").write_text(content)
    (tmp_path / "background.js").write_text("years of work")

    with pytest.raises(ModelFolderError, match="is not a model folder"):
        write(tmp_path)
    assert (tmp_path / "background.js").read_text() == "years of work"


def test_a_model_of_another_format_is_replaced(folder: Path) -> None:
    rewrite_manifest(folder, lambda document: document.update(format=99, novelty=True))
    write(folder, "better")

    assert read_model_folder(folder, kind="toy")


def test_a_model_of_another_kind_is_not_overwritten(folder: Path) -> None:
    writing = new_model_folder(folder, kind="tool", name="tool", version="1")
    with pytest.raises(ModelFolderError, match="another kind than 'tool'"), writing:
        pass

    assert read_model_folder(folder, kind="toy")
    assert leftovers(folder) == []


def test_a_model_that_was_changed_meanwhile_is_not_overwritten(folder: Path) -> None:
    """As by a training that ended while questions were added to the model before it."""
    before = read_model_folder(folder, kind="toy").sha256
    writing = new_model_folder(folder, kind="toy", name="toy", version="1b", replaces=before)
    with pytest.raises(ModelFolderError, match="holds another model"), writing:
        write(folder, "trained anew")

    assert (folder / "weights.bin").read_text() == "trained anew"
    assert leftovers(folder) == []


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()

    assert read_model_folder(write(tmp_path / "model"), kind="toy")


def test_a_link_to_a_folder_stays_a_link(folder: Path) -> None:
    link = folder.with_name("current")
    link.symlink_to(folder)
    write(link, "better")

    assert link.is_symlink()
    assert (folder / "weights.bin").read_text() == "better"
    assert read_model_folder(link, kind="toy")


def remove(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def put(name: str, content: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(content)


def link(name: str, target: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        outside = folder.parent / "outside"
        outside.mkdir()
        (outside / "weights.bin").write_text("weights")
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target.format(outside=outside))

    return change


def listed(name: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        rewrite_manifest(folder, lambda document: document["files"].update({name: "0" * 64}))  # type: ignore[attr-defined]

    return change


def linked_folder(folder: Path) -> None:
    link("elsewhere", "{outside}")(folder)
    known = orjson.loads((folder / "manifest.json").read_bytes())["files"]["weights.bin"]
    rewrite_manifest(
        folder,
        lambda document: document["files"].update({"elsewhere/weights.bin": known}),  # type: ignore[attr-defined]
    )


def other_format(folder: Path) -> None:
    rewrite_manifest(folder, lambda document: document.update(format=99))


def pipe(folder: Path) -> None:
    (folder / "weights.bin").unlink()
    os.mkfifo(folder / "weights.bin")


FAULTS = {
    "no manifest": (remove("manifest.json"), "manifest.json", "is missing"),
    "manifest is not JSON": (put("manifest.json", "{"), "manifest.json", "not a model manifest"),
    "manifest nested too deep": (
        put("manifest.json", "[" * 100_000), "manifest.json", "not a model manifest"),
    "manifest is other JSON": (put("manifest.json", "[]"), "manifest.json", "not a model manifest"),
    "manifest too large": (
        put("manifest.json", " " * (2 << 20)), "manifest.json", "is too large"),
    "other format": (other_format, "manifest.json", "has format 99"),
    "tampered file": (put("weights.bin", "weightz"), "weights.bin", "differs from its SHA-256"),
    "file cut short": (put("weights.bin", ""), "weights.bin", "differs from its SHA-256"),
    "missing file": (remove("vocabulary/words.txt"), "vocabulary/words.txt", "is missing"),
    "extra file": (put("model.pkl", "x"), "model.pkl", "is not in the manifest"),
    "extra hidden file": (put("vocabulary/.x", "x"), "vocabulary/.x", "is not in the manifest"),
    "link out of the folder": (
        link("weights.bin", "{outside}/weights.bin"), "weights.bin", "outside the model folder"),
    "folder linked in": (
        linked_folder, "elsewhere/weights.bin", "outside the model folder"),
    "dangling link": (link("dangling", "nowhere"), "dangling", "is not in the manifest"),
    "path out of the folder": (listed("../x"), "manifest.json", "outside the model folder"),
    "absolute path": (listed("/etc/hostname"), "", "outside the model folder"),
    "path with a NUL": (listed("a\0b"), "manifest.json", "outside the model folder"),
    "a folder for a file": (listed("vocabulary"), "vocabulary", "is not a file"),
    "a pipe for a file": (pipe, "weights.bin", "is not a file"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_one_line_that_names_the_file(folder: Path, fault: str) -> None:
    change, name, reason = FAULTS[fault]
    change(folder)

    with pytest.raises(ModelFolderError, match=reason) as raised:
        read_model_folder(folder, kind="toy")

    assert len(str(raised.value).splitlines()) == 1
    if name:
        assert raised.value.path == folder / name


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match="is missing; fetch or train") as raised:
        read_model_folder(tmp_path / "nowhere", kind="toy")

    assert raised.value.path == tmp_path / "nowhere"


def test_a_file_is_no_model_folder(folder: Path) -> None:
    with pytest.raises(ModelFolderError, match="Not a directory"):
        read_model_folder(folder / "weights.bin", kind="toy")


def test_a_model_of_another_kind_is_refused(folder: Path) -> None:
    with pytest.raises(ModelFolderError, match="is a model of kind 'toy', not 'faq'"):
        read_model_folder(folder, kind="faq")


@given(st.binary(max_size=200))
def test_no_manifest_makes_reading_fail_otherwise(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("model")
    (folder / "manifest.json").write_bytes(content)

    with pytest.raises(ModelFolderError):
        read_model_folder(folder, kind="toy")
