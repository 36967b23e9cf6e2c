"""The services do what the protocol's published document says, whatever is sent to them."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from client.load.generated_picture import generated_picture
from services.launch import ROOT
from tests.conformance.conftest import QUESTION, Served

DOCUMENT = Path(__file__).with_name("open_inference.yaml")
HOOKS = "tests.services.schemathesis_hooks"
SETTINGS = """
[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "503", "504"]

# The document allows any tensor, of which a model takes its own.
[[operations]]
include-path-regex = "infer$"
checks.positive_data_acceptance.expected-statuses = ["2xx", "4xx", "503", "504"]
"""


@pytest.mark.slow
def test_schemathesis_finds_nothing(served: Served, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    document = tmp_path / "document.yaml"
    document.write_text(with_example(naming(DOCUMENT.read_text(), served.name), example(served)))
    scored_before = scored(served)
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", document, "--url", served.server.url,
            "--phases", "examples,coverage,fuzzing", "--checks", "all",
            "--max-examples", "20", "--seed", "1", "--no-color",
            "--header", f"X-API-Key: {served.server.key}",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False,
        env={**os.environ, "SCHEMATHESIS_HOOKS": HOOKS, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "10 selected" in done.stdout
    assert scored(served) > scored_before, "no answer of the model was held against the document"


def scored(served: Served) -> float:
    """Requests of the protocol that the model has answered so far."""
    metrics = httpx.get(f"{served.server.metrics_url}/metrics").text
    return sum(
        float(line.rsplit(" ", 1)[1])
        for line in metrics.splitlines()
        if line.startswith('modelsvc_requests_total{code="200"') and "/infer" in line
    )


def example(served: Served) -> dict[str, object]:
    """A request that the model answers, which nothing that is made up by chance would be."""
    row = generated_picture(16, 16) if served.name == "resnet" else QUESTION
    encoded = base64.b64encode(row).decode()
    tensor = {"name": served.input, "shape": [1], "datatype": "BYTES", "data": [encoded]}
    return {"id": "one", "inputs": [{**tensor, "parameters": {"content_type": "base64"}}]}


def with_example(document: str, request: dict[str, object]) -> str:
    """The document with a request of its model beside the schema of requests."""
    schema = '{schema: {$ref: "#/components/schemas/inference_request"}}'
    assert document.count(schema) == 1, "both paths take the same request"
    return document.replace(schema, f"{schema[:-1]}, example: {json.dumps(request)}}}")


def naming(document: str, model: str) -> str:
    """The document with the one model and the one version that can be asked for."""
    for name, value in (("MODEL_NAME", model), ("MODEL_VERSION", "latest")):
        anything = f"name: {name}, in: path, required: true, schema: {{type: string"
        assert anything in document
        document = document.replace(anything, f"{anything}, enum: [{value}]")
    return document
