"""``python -m services.web``: the command line of the client application."""

from __future__ import annotations

import sys

from services.serving.command_line import Command, main
from services.serving.server import run
from services.web.application import build
from services.web.settings import WebSettings


def serve(settings: WebSettings) -> None:
    """Serve the client application until SIGTERM or Ctrl-C."""
    run(settings, build)


if __name__ == "__main__":
    sys.exit(
        main(
            "services.web",
            "The client application of the scoring services.",
            [Command("serve", "Serve the page and call the services for it.", WebSettings, serve)],
        )
    )
