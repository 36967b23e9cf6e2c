"""`python -m services.resnet fetch | package | convert | serve`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from services.resnet.settings import (
    ConvertSettings,
    FetchSettings,
    PackageSettings,
    ResnetSettings,
)
from services.serving.command_line import Command, main


def _fetch(settings: FetchSettings) -> None:
    from services.resnet.fetch import fetch

    fetch(settings)


def _package(settings: PackageSettings) -> None:
    from services.resnet.package import package

    package(settings)


def _convert(settings: ConvertSettings) -> None:
    from services.resnet.convert import convert

    convert(settings)


def _serve(settings: ResnetSettings) -> None:
    from services.resnet.app import run

    run(settings)


def run(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` names and return the exit status."""
    return main(
        "services.resnet",
        "Fetch, package and serve an image classifier.",
        [
            Command("fetch", "download weights into a model folder", FetchSettings, _fetch),
            Command(
                "package", "a network of your own into a model folder", PackageSettings, _package
            ),
            Command(
                "convert", "a fetched network to Keras or TensorFlow", ConvertSettings, _convert
            ),
            Command("serve", "serve a model folder over HTTP", ResnetSettings, _serve),
        ],
        argv,
    )


if __name__ == "__main__":
    sys.exit(run())
