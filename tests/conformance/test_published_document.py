"""The services do what the protocol's published document says, whatever is sent to them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.launch import ROOT
from tests.conformance.conftest import Served

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
    document.write_text(naming(DOCUMENT.read_text(), served.name))
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


def naming(document: str, model: str) -> str:
    """The document with the one model and the one version that can be asked for."""
    for name, value in (("MODEL_NAME", model), ("MODEL_VERSION", "latest")):
        anything = f"name: {name}, in: path, required: true, schema: {{type: string"
        assert anything in document
        document = document.replace(anything, f"{anything}, enum: [{value}]")
    return document
