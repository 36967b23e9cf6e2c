"""A model folder: files and a manifest with the SHA-256 of each; written whole or not at all."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

MANIFEST = "manifest.json"
MANIFEST_LIMIT = 1 << 20
FORMAT = 1
MANIFEST_KEYS = {"format", "kind", "files"}
"""What manifests of every format have, and those of other programs hardly."""


class ModelFolderError(Exception):
    """A model folder that must not be used: ``path`` names the file, the message says why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path


class Manifest(BaseModel):
    """What a model folder holds, from its ``manifest.json``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    kind: str
    name: str
    version: str
    created: str
    details: dict[str, Any]
    files: dict[str, str]
    sha256: str = ""
    """SHA-256 of ``manifest.json``: with the hashes inside, the identity of the whole model."""


@dataclass
class Draft:
    """A model folder being written; fill ``folder`` with files and ``details`` with facts."""

    folder: Path
    details: dict[str, Any] = field(default_factory=dict[str, Any])


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


@contextmanager
def new_model_folder(
    destination: Path, *, kind: str, name: str, version: str, replaces: str = ""
) -> Generator[Draft]:
    """Write a model folder beside ``destination`` and rename it into place when it is complete.

    On any exception, a full disk and Ctrl-C among them, the unfinished folder is removed and a
    model that was there before stays as it was.

    Args:
        destination: where it comes to lie.
        kind: what reads it.
        name: the model's name.
        version: the model's version.
        replaces: SHA-256 of the manifest that must be there still when it takes its place; any if
            left out.

    Raises:
        ModelFolderError: ``destination`` exists and is not a model folder of this kind, or holds
            another model by now than the one to replace; or its manifest is too large to be read.
    """
    destination = destination.resolve()
    refuse_foreign_folder(destination, kind)
    destination.parent.mkdir(parents=True, exist_ok=True)
    draft = Draft(
        Path(tempfile.mkdtemp(prefix=f".{destination.name}.new.", dir=destination.parent))
    )
    try:
        draft.folder.chmod(0o755)
        yield draft
        _write_manifest(draft, destination, kind=kind, name=name, version=version)
        if replaces and _read_manifest(destination / MANIFEST).sha256 != replaces:
            raise ModelFolderError(
                destination, "holds another model than when this began; it was left as it is"
            )
        _swap_in(draft.folder, destination)
    except BaseException:
        shutil.rmtree(draft.folder, ignore_errors=True)
        raise


def refuse_overlap(destination: Path, source: Path) -> None:
    """Refuse a destination and a source of which one lies in the other, or that are the same.

    A model that is replaced is removed, with all that lies in its folder; and a folder that is copied into
    itself has no end.

    Raises:
        ModelFolderError: they do.
    """
    written, read = destination.resolve(), source.resolve()
    if written.is_relative_to(read) or read.is_relative_to(written):
        raise ModelFolderError(
            destination,
            f"is {source}, lies in it or holds it, which is to stay as it is; choose another folder",
        )


def refuse_foreign_folder(destination: Path, kind: str) -> None:
    """Refuse to replace anything but a model of ``kind``, or an empty folder.

    Other programs have files called ``manifest.json`` too, and whoever mistook one model for another
    would lose it. Asked before hours of work whose result would have no place, too.

    Raises:
        ModelFolderError: there is something else.
    """
    if not destination.is_dir():
        if destination.exists():
            raise ModelFolderError(destination, "is a file; a model is written to a folder")
        return
    if not any(destination.iterdir()):
        return
    # Whatever its format: what an older or newer release wrote is replaced, too.
    there = _loosely_read(destination / MANIFEST)
    if not there.keys() >= MANIFEST_KEYS:
        raise ModelFolderError(
            destination, "is not a model folder; choose another one, or remove it first"
        )
    if there["kind"] != kind:
        raise ModelFolderError(
            destination, f"holds a model of another kind than {kind!r}; choose another folder"
        )


def read_model_folder(folder: Path, *, kind: str) -> Manifest:
    """Read and verify a model folder.

    Raises:
        ModelFolderError: a file is missing, unreadable, not in the manifest or not as it was when
            the folder was written, or the folder holds another kind of model.
    """
    path = folder / MANIFEST
    manifest = _read_manifest(path)
    if manifest.kind != kind:
        raise ModelFolderError(path, f"is a model of kind {manifest.kind!r}, not {kind!r}")
    present = {str(file.relative_to(folder)) for file in folder.rglob("*") if not file.is_dir()} - {
        MANIFEST
    }
    for unknown in sorted(present - manifest.files.keys()):
        raise ModelFolderError(folder / unknown, "is not in the manifest")
    for relative, expected in sorted(manifest.files.items()):
        _verify(folder, relative, expected)
    return manifest


def _verify(folder: Path, relative: str, expected: str) -> None:
    file = folder / relative
    if "\0" in relative or ".." in Path(relative).parts:
        raise ModelFolderError(folder / MANIFEST, "names a file outside the model folder")
    if not file.resolve().is_relative_to(folder.resolve()):
        raise ModelFolderError(file, "lies outside the model folder")
    if file.exists() and not file.is_file():
        raise ModelFolderError(file, "is not a file")
    try:
        actual = file_sha256(file)
    except FileNotFoundError:
        raise ModelFolderError(file, "is missing; fetch or train the model again") from None
    except OSError as error:
        raise ModelFolderError(file, f"cannot be read: {error.strerror}") from None
    if actual != expected:
        raise ModelFolderError(file, "differs from its SHA-256 in the manifest")


def _read_manifest(path: Path) -> Manifest:
    try:
        if path.stat().st_size > MANIFEST_LIMIT:
            raise ModelFolderError(path, "is too large for a manifest")
        content = path.read_bytes()
    except FileNotFoundError:
        missing = path if path.parent.is_dir() else path.parent
        raise ModelFolderError(missing, "is missing; fetch or train the model first") from None
    except OSError as error:
        raise ModelFolderError(path, f"cannot be read: {error.strerror}") from None
    try:
        manifest = Manifest.model_validate(orjson.loads(content))
    except (orjson.JSONDecodeError, ValidationError):
        raise ModelFolderError(path, "is not a model manifest") from None
    if manifest.format != FORMAT:
        raise ModelFolderError(path, f"has format {manifest.format}; this version reads {FORMAT}")
    return manifest.model_copy(update={"sha256": hashlib.sha256(content).hexdigest()})


def _loosely_read(path: Path) -> dict[str, Any]:
    """What a manifest of any format says; empty for what is none."""
    try:
        with path.open("rb") as stream:
            document = orjson.loads(stream.read(MANIFEST_LIMIT))
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    except OSError as error:
        raise ModelFolderError(path, f"cannot be read: {error.strerror}") from None
    return cast(dict[str, Any], document) if isinstance(document, dict) else {}


def _write_manifest(draft: Draft, destination: Path, *, kind: str, name: str, version: str) -> None:
    files: Mapping[str, str] = {
        str(file.relative_to(draft.folder)): file_sha256(file)
        for file in sorted(draft.folder.rglob("*"))
        if file.is_file()
    }
    for relative in files:
        _flush(draft.folder / relative)
    document = {
        "format": FORMAT,
        "kind": kind,
        "name": name,
        "version": version,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "details": draft.details,
        "files": files,
    }
    content = orjson.dumps(document, option=orjson.OPT_INDENT_2)
    if len(content) > MANIFEST_LIMIT:
        raise ModelFolderError(
            destination,
            f"was not written, as its manifest would have {len(content):,} bytes, more than the "
            f"{MANIFEST_LIMIT:,} that are read; train or fetch the model anew",
        )
    path = draft.folder / MANIFEST
    path.write_bytes(content)
    _flush(path)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _swap_in(folder: Path, destination: Path) -> None:
    if not destination.exists():
        folder.rename(destination)
    elif _exchange(folder, destination):
        shutil.rmtree(folder, ignore_errors=True)
    else:
        _replace_in_two_steps(folder, destination)
    _flush(destination.parent)


def _exchange(folder: Path, destination: Path) -> bool:
    """Swap two folders in one step, if the system can (Linux's renameat2)."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    at_working_directory, exchange = -100, 2
    names = os.fsencode(folder), os.fsencode(destination)
    return rename(at_working_directory, names[0], at_working_directory, names[1], exchange) == 0


def _replace_in_two_steps(folder: Path, destination: Path) -> None:
    old = Path(tempfile.mkdtemp(prefix=f".{destination.name}.old.", dir=destination.parent))
    kept = old / destination.name
    try:
        destination.rename(kept)
        folder.rename(destination)
    except BaseException:
        if kept.exists():
            kept.rename(destination)
        old.rmdir()
        raise
    shutil.rmtree(old, ignore_errors=True)
