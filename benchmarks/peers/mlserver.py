"""MLServer (FastAPI and a pool of worker processes): the protocol v2, pictures in base64.

Tuned: no worker process beside the server's own, no metrics server, no access log, no gzip, and batches
of what came within a millisecond. It has no bound for its queue and no deadline.
"""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
from typing import Any

import uvloop
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import Base64Codec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse, MetadataTensor

from benchmarks.peers.served_model import Setup
from services.launch import free_ports

SETUP = Setup.from_environment()


class Model(MLModel):
    """The model as a custom runtime."""

    async def load(self) -> bool:
        """Load the model, in the worker process."""
        self._served = SETUP.open()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answer the one input, each row as JSON."""
        codec = StringCodec if SETUP.service == "faq" else Base64Codec
        items = [self._served.prepare(each) for each in codec.decode_input(payload.inputs[0])]
        answers = [
            json.dumps(self._served.render(output)) for output in self._served.predict(items)
        ]
        return InferenceResponse(
            id=payload.id,
            model_name=self.name,
            model_version=self.version,
            outputs=[StringCodec.encode_output("answer", answers)],
        )


async def _serve() -> None:
    metrics_port, grpc_port = free_ports(2)
    settings: dict[str, Any] = {
        "host": "127.0.0.1", "http_port": SETUP.port, "grpc_port": grpc_port,
        "metrics_port": metrics_port, "metrics_dir": tempfile.mkdtemp(),
    }  # fmt: skip
    model: dict[str, Any] = {
        "name": SETUP.service,
        "implementation": "benchmarks.peers.mlserver.Model",
        "parameters": {"version": "1"},
        "inputs": [MetadataTensor(name=SETUP.field, datatype="BYTES", shape=[-1, 1])],
        "outputs": [MetadataTensor(name="answer", datatype="BYTES", shape=[-1, 1])],
    }
    if SETUP.is_tuned:
        settings |= {"parallel_workers": 0, "metrics_endpoint": None, "gzip_enabled": False,
                     "debug": False}  # fmt: skip
        if SETUP.batch > 1:
            model |= {"max_batch_size": SETUP.batch, "max_batch_time": 0.001}
    server = MLServer(Settings(**settings))
    if SETUP.is_tuned:
        logging.getLogger("uvicorn.access").disabled = True
    await server.start([ModelSettings(**model)])


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(_serve())
