"""KServe's server (FastAPI, one process): asked by its protocol v1; speaks v2 too.

Tuned: no gRPC server, no log of latencies and none of access. Its batcher is another container, and it
has neither a bound for its queue nor a deadline.
"""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import kserve
import numpy as np
from kserve import InferOutput, InferRequest, InferResponse
from kserve.utils.utils import generate_uuid

from benchmarks.peers.served_model import Setup
from services.launch import free_ports

SETUP = Setup.from_environment()


class Model(kserve.Model):
    """The model as KServe's documentation writes them: ``predict`` in the event loop."""

    def __init__(self) -> None:
        super().__init__(SETUP.service)
        self._served = SETUP.open()
        self.ready = True

    async def get_input_types(self) -> list[dict[str, object]]:
        """What v2's metadata says of the input."""
        return [{"name": SETUP.field, "datatype": "BYTES", "shape": [-1, 1]}]

    async def get_output_types(self) -> list[dict[str, object]]:
        """What v2's metadata says of the output: the answers as JSON."""
        return [{"name": "answer", "datatype": "BYTES", "shape": [-1, 1]}]

    def predict(self, payload: Any, headers: Any = None) -> Any:  # noqa: ARG002 - KServe's name
        """Answer v1's instances, or v2's one input."""
        if not isinstance(payload, InferRequest):
            received = [_instance(each) for each in payload["instances"]]
            return {"predictions": self._answers(received)}
        rows = [_element(each) for each in payload.inputs[0].as_numpy().ravel()]
        if (payload.inputs[0].parameters or {}).get("content_type") == "base64":
            rows = [base64.b64decode(each) for each in rows]
        answers = [json.dumps(each) for each in self._answers(rows)]
        is_binary = bool(payload.use_binary_outputs)
        output = InferOutput("answer", [len(answers), 1], "BYTES")
        rows = np.array(answers, dtype=object).reshape(-1, 1)
        output.set_data_from_numpy(rows, binary_data=is_binary)
        return InferResponse(
            payload.id or generate_uuid(), self.name, [output],
            use_binary_outputs=is_binary, requested_outputs=payload.request_outputs,
        )  # fmt: skip

    def _answers(self, received: list[Any]) -> list[dict[str, object]]:
        items = [self._served.prepare(each) for each in received]
        return [self._served.render(output) for output in self._served.predict(items)]


def _instance(value: Any) -> Any:
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


def _element(value: Any) -> Any:
    is_text = SETUP.service == "faq" and isinstance(value, bytes)
    return value.decode() if is_text else value


if __name__ == "__main__":
    quiet: dict[str, Any] = {}
    if SETUP.is_tuned:
        quiet = {"enable_grpc": False, "enable_latency_logging": False}
        logging.getLogger("uvicorn.access").disabled = True
    kserve.ModelServer(http_port=SETUP.port, grpc_port=free_ports(1)[0], **quiet).start([Model()])
