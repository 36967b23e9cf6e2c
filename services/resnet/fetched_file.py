"""A file of weights that is downloaded once and checked by its hash."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from services.resnet.settings import FetchSettings
from services.serving.command_line import CommandFailed
from services.serving.download import DownloadError, download
from services.serving.model_folder import file_sha256

_LARGEST_WEIGHT_FILE: Final = 4 << 30


def fetched_file(settings: FetchSettings, url: str, name: str, sha256_prefix: str) -> Path:
    """Return the file at `settings.url`, else `url`, downloaded if it is not there already.

    Its SHA-256 is `settings.sha256` or begins with `sha256_prefix`. Raises CommandFailed when it
    cannot be fetched or has another hash.
    """
    destination = download_folder(settings) / name
    expected = settings.sha256.lower() or sha256_prefix
    if destination.is_file() and file_sha256(destination).startswith(expected):
        return destination
    try:
        download(
            settings.url or url,
            destination,
            sha256=settings.sha256.lower() or None,
            sha256_prefix=sha256_prefix or None,
            max_bytes=_LARGEST_WEIGHT_FILE,
            progress=settings.progress,
        )
    except DownloadError as error:
        raise CommandFailed(str(error)) from None
    return destination


def download_folder(settings: FetchSettings) -> Path:
    """Beside the model folder, so that an interrupted download is found by the same command."""
    model = settings.model.absolute()
    return model.with_name(f".{model.name}.download")


def remove_download(settings: FetchSettings) -> None:
    """Remove what was downloaded, once the model folder is written."""
    shutil.rmtree(download_folder(settings), ignore_errors=True)
