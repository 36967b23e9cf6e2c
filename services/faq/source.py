"""Where the data comes from: a folder, or a web address that its files are fetched from."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from services.faq.attribution import ATTRIBUTION_FILE
from services.faq.golden import GOLDEN_FILE
from services.faq.records import FILES, SPLIT_FILE, DataError
from services.faq.training_run import tell
from services.serving.download import DownloadError, NotThere, download
from services.serving.model_folder import file_sha256

LARGEST_DOWNLOAD: Final = 1 << 30
"""Bytes of the largest file that is fetched."""
BESIDE: Final = (SPLIT_FILE, ATTRIBUTION_FILE, GOLDEN_FILE)
"""What data may have with it."""


def data_folder(data: str, downloads: Path, sha256: Sequence[str]) -> Path:
    """Return a folder with the three files, which are fetched first if `data` is a web address.

    A file that is there with the right hash is not fetched again; a broken download is resumed.
    What is beside the three is fetched with them, and anew with other ones. Without hashes, what is
    kept is used as it is, and that is said.

    Args:
        data: a folder, or an http(s) address that the file names are appended to.
        downloads: where fetched files are kept, in a folder for each address.
        sha256: hashes in hex of originals, duplicates and answers; empty to accept any content.

    Raises:
        DataError: a file cannot be fetched, or has another hash.
    """
    if sha256 and len(sha256) != len(FILES):
        raise DataError(f"{len(sha256)} hashes are given; three are needed, for {', '.join(FILES)}")
    expected: dict[str, str] = dict(zip(FILES, sha256, strict=True)) if sha256 else {}
    if not data.startswith(("http://", "https://")):
        for name, digest in expected.items():
            _check(Path(data) / name, digest)
        return Path(data)
    folder = downloads / hashlib.sha256(data.encode()).hexdigest()[:12]
    _fetch_all(data.rstrip("/"), folder, expected)
    return folder


def _fetch_all(address: str, folder: Path, expected: dict[str, str]) -> None:
    other, old = (folder.with_name(f"{folder.name}.{name}") for name in ("new", "old"))
    _finish_replacing(folder, other, old)
    wanted = {name for name in FILES if not _is_kept(folder / name, expected.get(name))}
    if not wanted:
        if not expected:
            at = datetime.fromtimestamp((folder / FILES[0]).stat().st_mtime, UTC)
            tell(f"{folder}: kept since {at:%Y-%m-%d %H:%M} UTC; remove it to fetch the data anew")
        return
    if not any((folder / name).exists() for name in wanted):
        shutil.rmtree(other, ignore_errors=True)
        beside = [name for name in BESIDE if not (folder / name).exists()]
        _fetch_into(folder, address, wanted, beside, expected)
        return
    # What is beside other data is of that. All is fetched to a place of its own first, so that
    # what is kept stays as it is if that fails.
    missing = {name for name in wanted if not _is_kept(other / name, expected.get(name))}
    _fetch_into(other, address, missing, BESIDE, expected)
    for name in set(FILES) - wanted:
        shutil.copy2(folder / name, other / name)
    folder.replace(old)
    _finish_replacing(folder, other, old)


def _fetch_into(
    folder: Path,
    address: str,
    wanted: Collection[str],
    beside: Collection[str],
    expected: Mapping[str, str],
) -> None:
    # One that has to be there comes first, to be named where there is no such address; and one
    # last, so that what is beside them is asked for again after an interruption.
    first, *others = FILES
    for name in (first, *BESIDE, *others):
        if name in wanted:
            _fetch(f"{address}/{name}", folder / name, expected.get(name))
        elif name in beside:
            _fetch_if_there(f"{address}/{name}", folder / name)


def _finish_replacing(folder: Path, other: Path, old: Path) -> None:
    """Put the other folder in the place of the one that was moved away, if one was.

    Whole folders are moved, so that an interruption leaves no file beside those of other data.
    """
    if old.exists() and other.exists() and not folder.exists():
        other.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def _is_kept(path: Path, expected: str | None) -> bool:
    return path.exists() and (expected is None or file_sha256(path) == expected.lower())


def _check(path: Path, expected: str) -> None:
    if not path.exists():
        raise DataError(f"{path}: is missing")
    if file_sha256(path) != expected.lower():
        raise DataError(f"{path}: has another SHA-256 than the one given")


def _fetch(url: str, destination: Path, expected: str | None) -> None:
    try:
        download(url, destination, sha256=expected, max_bytes=LARGEST_DOWNLOAD)
    except DownloadError as error:
        raise DataError(str(error)) from None


def _fetch_if_there(url: str, destination: Path) -> None:
    try:
        download(url, destination, max_bytes=LARGEST_DOWNLOAD)
    except NotThere:
        destination.unlink(missing_ok=True)
        return
    except DownloadError as error:
        raise DataError(str(error)) from None
    tell(f"{destination.name}: is there too")
