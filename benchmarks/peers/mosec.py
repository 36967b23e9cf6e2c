"""Mosec (Rust in front, Python workers): takes the body as bytes.

Tuned: batches that wait 1 ms, as many requests waiting as our services allow, our deadline, and only
warnings in the log.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from mosec import Server, Worker

from benchmarks.peers.served_model import Setup

SETUP = Setup.from_environment()


class Model(Worker):
    """The whole model in one stage: on one core more stages would only hand things on."""

    def __init__(self) -> None:
        super().__init__()
        self._served = SETUP.open()

    def deserialize(self, data: bytes) -> Any:
        """The question or the picture."""
        return bytes(data) if SETUP.service == "resnet" else json.loads(data)[SETUP.field]

    def forward(self, data: Any) -> Any:
        """One answer, or in batches one for each."""
        received: Sequence[Any] = data if SETUP.batch > 1 else [data]
        outputs = self._served.predict([self._served.prepare(each) for each in received])
        answers = [self._served.render(output) for output in outputs]
        return answers if SETUP.batch > 1 else answers[0]


if __name__ == "__main__":
    sys.argv += ["--port", str(SETUP.port), "--address", "127.0.0.1"]
    if SETUP.is_tuned:
        timeout = str(int(SETUP.deadline_seconds * 1000))
        sys.argv += ["--capacity", str(SETUP.queue), "--timeout", timeout, "--log-level", "warning"]
    server = Server()
    server.append_worker(Model, max_batch_size=SETUP.batch, max_wait_time=1)
    server.run()
