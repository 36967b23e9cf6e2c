"""BentoML (Starlette, one process): takes JSON, pictures in base64.

Tuned: as many requests at once as our services let wait, our deadline, neither metrics nor access log.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import bentoml

from benchmarks.peers.served_model import Setup

SETUP = Setup.from_environment()
OPTIONS: dict[str, Any] = (
    {
        "traffic": {"timeout": SETUP.deadline_seconds, "max_concurrency": SETUP.queue},
        "metrics": {"enabled": False},
        "logging": {"access": {"enabled": False}},
    }
    if SETUP.is_tuned
    else {}
)


class _Model:
    def __init__(self) -> None:
        self._served = SETUP.open()

    def _answer(self, received: str) -> dict[str, object]:
        item = self._served.prepare(received)
        return self._served.render(self._served.predict([item])[0])


@bentoml.service(**OPTIONS)
class Faq(_Model):
    """The FAQ matcher."""

    @bentoml.api
    def score(self, question: str) -> dict[str, object]:
        """The best matches."""
        return self._answer(question)


@bentoml.service(**OPTIONS)
class Resnet(_Model):
    """The picture classifier."""

    @bentoml.api
    def score(self, image: str) -> dict[str, object]:
        """The most probable classes."""
        return self._answer(image)


if __name__ == "__main__":
    served = f"benchmarks.peers.bentoml:{SETUP.service.capitalize()}"
    options = ("--host", "127.0.0.1", "--port", str(SETUP.port))
    command = [sys.executable, "-m", "bentoml", "serve", served, *options]
    os.execv(sys.executable, command)  # noqa: S606 - there is no shell
