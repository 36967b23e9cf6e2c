"""The programs of docs/api.md that use the protocols' own clients do what they say."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from services.launch import ROOT
from tests.conformance.conftest import PICTURE
from tests.conftest import Server
from tests.docs.pages import blocks

EXPECTED = {"tritonclient": "daisy", "kserve": "title"}


def program(client: str) -> str:
    shown = blocks("python", pages=[ROOT / "docs" / "api.md"])
    (found,) = [block.text for block in shown if client in block.text]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("client", EXPECTED)
def test_a_documented_program_runs(
    client: str, faq_server: Server, resnet_server: Server, tmp_path: Path
) -> None:
    python = ROOT / ".venvs" / client / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{client} is not here: make clients")
    shutil.copy(PICTURE, tmp_path / "picture.jpg")
    source = program(client)
    for port, server in ((8081, faq_server), (8082, resnet_server)):
        source = source.replace(f"127.0.0.1:{port}", server.url.removeprefix("http://"))
    server = faq_server if client == "kserve" else resnet_server
    (tmp_path / ".demo").mkdir()
    (tmp_path / ".demo" / "demo.key").write_text(f"{server.key}\n")
    done = subprocess.run(
        [python, "-c", source], cwd=tmp_path, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-2000:]
    assert EXPECTED[client] in done.stdout or "InferOutput" in done.stdout
