"""The commands of the documentation that call a running service do what it says they do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from services.launch import ROOT
from tests.conftest import Server
from tests.docs.pages import blocks

PICTURE = ROOT / "services" / "web" / "static" / "examples" / "flower.jpg"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def commands(start: str) -> list[str]:
    """The commands of both documents' shell blocks that begin so, each in one line."""
    pages = [ROOT / document for document in ("README.md", "docs/api.md")]
    shown = "".join(block.text for block in blocks("sh", pages=pages))
    lines = shown.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith(start)]


CURL, CLIENT = "curl ", ".venv/bin/python -m client "

Shell = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def shell(tmp_path: Path, faq_server: Server, resnet_server: Server) -> Shell:
    """A shell in a clone of the repository, where the demo's ports are the two services'."""
    shutil.copy(PICTURE, tmp_path / "picture.jpg")
    (tmp_path / ".demo").mkdir()
    (tmp_path / ".venv").symlink_to(sys.prefix)
    for folder in ("client", "services"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    urls = {"SCORING_FAQ_URL": faq_server.url, "SCORING_RESNET_URL": resnet_server.url}

    def run(command: str) -> subprocess.CompletedProcess[str]:
        is_faq = "127.0.0.1:8081" in command or " ask " in command
        server = faq_server if is_faq else resnet_server
        (tmp_path / ".demo" / "demo.key").write_text(server.key + "\n")
        command = re.sub(r"http://127\.0\.0\.1:808[12]", server.url, command)
        return subprocess.run(
            ["bash", "-euc", command], cwd=tmp_path, env={**os.environ, **urls, "KEY": server.key},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


def test_the_documents_show_how_to_call_a_service() -> None:
    assert len(commands(CURL)) >= 6
    assert len(commands(CLIENT)) >= 1


@pytest.mark.parametrize("command", commands(CURL))
def test_a_documented_curl_command_is_answered_with_scores(command: str, shell: Shell) -> None:
    done = shell(command)

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    if "/v2/" in command or ":predict" in command:
        assert answer.get("outputs") or answer["predictions"][0]["matches"], answer
        return
    rows = answer.get("matches") or answer.get("predictions")
    assert rows, answer
    assert all(0 <= row["score"] <= 1 for row in rows)
    if "/v1/classify" in command:
        assert rows[0]["label"] == "daisy"


@pytest.mark.parametrize("command", commands(CLIENT))
def test_a_documented_command_of_the_client_is_answered(command: str, shell: Shell) -> None:
    done = shell(command)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() not in ("", "no match")
