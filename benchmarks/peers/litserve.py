"""LitServe (FastAPI and a worker process): takes JSON, pictures in base64.

Tuned: its fast queue, batches that wait for nobody, our deadline, no access log. It has no bound for
its queue.
"""

# Annotations are read when a request comes, so they must not be text.
from collections.abc import Sequence
from typing import Any

import litserve
from fastapi import Request

from benchmarks.peers.served_model import Setup

SETUP = Setup.from_environment()


class Model(litserve.LitAPI):
    """The model in LitServe's parts."""

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe's name
        """Load the model, in the worker process."""
        self.served = SETUP.open()

    def decode_request(self, request: Request) -> Any:
        """One item; by now LitServe has made a dictionary of the request."""
        return self.served.prepare(request[SETUP.field])

    def batch(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """As it is: questions are no arrays to stack."""
        return inputs

    def predict(self, x: Any) -> Any:
        """One output, or in batches one for each."""
        return self.served.predict(x) if SETUP.batch > 1 else self.served.predict([x])[0]

    def unbatch(self, output: Sequence[Any]) -> Sequence[Any]:
        """As it is."""
        return output

    def encode_response(self, output: Any) -> dict[str, object]:
        """The answer."""
        return self.served.render(output)


if __name__ == "__main__":
    quiet: dict[str, Any] = {"log_level": "warning", "access_log": False} if SETUP.is_tuned else {}
    server = litserve.LitServer(
        Model(max_batch_size=SETUP.batch),
        accelerator="cpu",
        fast_queue=SETUP.is_tuned,
        timeout=SETUP.deadline_seconds if SETUP.is_tuned else 30,
    )
    server.run(host="127.0.0.1", port=SETUP.port, generate_client_file=False, **quiet)
