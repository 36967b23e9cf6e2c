"""`fetch`: weights from their publisher, checked by hash, into a model folder."""

from __future__ import annotations

import sys
import time
from typing import Any

from services.resnet.classifier_folder import KIND, read_classifier_folder
from services.resnet.settings import FetchSettings
from services.serving.command_line import CommandFailed
from services.serving.download import DownloadError, without_secrets
from services.serving.model_folder import ModelFolderError, refuse_foreign_folder


def fetch(settings: FetchSettings) -> None:
    """Write the model folder that `settings` asks for, unless it is already there and whole.

    Raises CommandFailed with one line when the name is unknown, the weights cannot be fetched or
    are not what they should be, or the network cannot be exported.
    """
    try:
        requested = _requested(settings)
        refuse_foreign_folder(settings.model, KIND)
    except (DownloadError, ModelFolderError) as error:
        raise CommandFailed(str(error)) from None
    if not settings.force and _is_there(settings, requested):
        _say(f"{settings.model}: {settings.architecture} is already there")
        return
    started = time.monotonic()
    _write(settings, requested)
    _say(f"{settings.model}: {settings.architecture} written in {time.monotonic() - started:.0f} s")


def _write(settings: FetchSettings, requested: dict[str, Any]) -> None:
    # Only now: a second `fetch` of what is there needs no library, which takes seconds to import.
    library = "torch" if settings.framework == "torch" else "tensorflow"
    try:
        if library == "torch":
            from services.resnet.model_writer import write_model
        else:
            from services.resnet.keras_writer import write_model
    except ImportError as error:
        raise CommandFailed(
            f"fetch needs the package {error.name}; install "
            f"services/resnet/requirements-{library}.txt"
        ) from None
    write_model(settings, requested)


def _is_there(settings: FetchSettings, requested: dict[str, Any]) -> bool:
    try:
        folder = read_classifier_folder(settings.model)
    except ModelFolderError:
        return False
    return folder.manifest.details.get("requested") == requested


def _requested(settings: FetchSettings) -> dict[str, Any]:
    asked = settings.model_dump(
        mode="json", include={"architecture", "weights", "seed", "sha256", "onnx"}
    )
    # Only what is unusual, so that a folder of before is still what is asked for.
    if not settings.torch:
        asked["torch"] = False
    if settings.framework != "torch":
        asked["framework"] = settings.framework
    return asked | {"url": without_secrets(settings.url) if settings.url else ""}


def _say(line: str) -> None:
    print(line, file=sys.stderr)
