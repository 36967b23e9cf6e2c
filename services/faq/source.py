"""Where the data comes from: a folder, or a web address that its three files are fetched from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.faq.records import FILES, DataError
from services.serving.download import DownloadError, download
from services.serving.model_folder import file_sha256

LARGEST_DOWNLOAD: Final = 1 << 30
"""Bytes of the largest file that is fetched."""


def data_folder(data: str, downloads: Path, sha256: Sequence[str]) -> Path:
    """Return a folder with the three files, which are fetched first if `data` is a web address.

    A file that is there with the right hash is not fetched again; a broken download is resumed.

    Args:
        data: a folder, or an http(s) address that the file names are appended to.
        downloads: where fetched files are kept, in a folder for each address.
        sha256: hashes in hex of originals, duplicates and answers; empty to accept any content.

    Raises:
        DataError: a file cannot be fetched, or has another hash.
    """
    if sha256 and len(sha256) != len(FILES):
        raise DataError(f"{len(sha256)} hashes are given; three are needed, for {', '.join(FILES)}")
    expected = dict(zip(FILES, sha256, strict=True)) if sha256 else {}
    if not data.startswith(("http://", "https://")):
        for name, digest in expected.items():
            _check(Path(data) / name, digest)
        return Path(data)
    folder = downloads / hashlib.sha256(data.encode()).hexdigest()[:12]
    for name in FILES:
        _fetch(f"{data.rstrip('/')}/{name}", folder / name, expected.get(name))
    return folder


def _check(path: Path, expected: str) -> None:
    if not path.exists():
        raise DataError(f"{path}: is missing")
    if file_sha256(path) != expected.lower():
        raise DataError(f"{path}: has another SHA-256 than the one given")


def _fetch(url: str, destination: Path, expected: str | None) -> None:
    if destination.exists() and (expected is None or file_sha256(destination) == expected.lower()):
        return
    try:
        download(url, destination, sha256=expected, max_bytes=LARGEST_DOWNLOAD)
    except DownloadError as error:
        raise DataError(str(error)) from None
