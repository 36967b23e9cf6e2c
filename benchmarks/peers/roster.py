"""The servers that are compared, and how each wants to be asked."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.peers.served_model import field_of
from client.load import Workload, faq_workload, resnet_workload

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENTS = ROOT / ".venvs" / "peers"
CONFIGURATIONS = ("default", "tuned")
OURS = "realtime-scoring"
JSON = "application/json"


@dataclass(frozen=True)
class Peer:
    """A server.

    Attributes:
        name: of its adapter and its environment, and on the command line.
        title: as it is called.
        package: the distribution whose version counts.
        path: of its requests; ``{service}`` is the model's name.
        body: makes the body of a question or a picture; None where it takes what our own service
            takes (JSON with the question, the raw picture).
    """

    name: str
    title: str
    package: str
    path: str
    body: Callable[[str, str | bytes], object] | None = None

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return Path(sys.executable) if self.is_ours else ENVIRONMENTS / self.name / "bin" / "python"

    @property
    def is_ours(self) -> bool:
        """Whether this is the project itself."""
        return self.name == OURS

    @property
    def is_installed(self) -> bool:
        """Whether its environment is there."""
        return self.python.exists()

    @property
    def is_of_this_python(self) -> bool:
        """Whether its environment has the interpreter that runs this; builds differ in speed."""
        return self.python.resolve() == Path(sys.executable).resolve()

    def version(self) -> str:
        """The version that its environment has; empty where it cannot be told."""
        if self.is_ours:
            return ""
        code = f"from importlib.metadata import version; print(version({self.package!r}))"
        done = subprocess.run(
            [self.python, "-c", code], capture_output=True, text=True, check=False, timeout=60
        )
        return done.stdout.strip()

    def workload(self, service: str) -> Workload:
        """What our own service is asked, in this server's form."""
        ours = faq_workload() if service == "faq" else resnet_workload()
        if self.is_ours:
            return ours
        path = self.path.format(service=service)
        if self.body is None:
            return replace(ours, path=path)
        received: list[str | bytes] = (
            [json.loads(body)["question"] for body in ours.bodies]
            if service == "faq"
            else list(ours.bodies)
        )
        bodies = [json.dumps(self.body(service, each)).encode() for each in received]
        return replace(ours, path=path, content_type=JSON, bodies=bodies)


def _named(service: str, received: str | bytes) -> object:
    return {field_of(service): _text(received)}


def _kserve_v1(_service: str, received: str | bytes) -> object:
    return {"instances": [received if isinstance(received, str) else {"b64": _text(received)}]}


def _open_inference(service: str, received: str | bytes) -> object:
    tensor: dict[str, object] = {
        "name": field_of(service),
        "datatype": "BYTES",
        "shape": [1, 1],
        "data": [_text(received)],
    }
    if isinstance(received, bytes):
        tensor["parameters"] = {"content_type": "base64"}
    return {"inputs": [tensor]}


def _text(received: str | bytes) -> str:
    return received if isinstance(received, str) else base64.b64encode(received).decode()


PEERS = {
    peer.name: peer
    for peer in (
        Peer(OURS, "realtime-scoring", "", ""),
        Peer("litserve", "LitServe", "litserve", "/predict", _named),
        Peer("mlserver", "MLServer", "mlserver", "/v2/models/{service}/infer", _open_inference),
        Peer("kserve", "KServe", "kserve", "/v1/models/{service}:predict", _kserve_v1),
        Peer("bentoml", "BentoML", "bentoml", "/score", _named),
        Peer("ray", "Ray Serve", "ray", "/"),
        Peer("mosec", "Mosec", "mosec", "/inference"),
    )
}
