"""docs/tutorial.md, followed word for word in a clone that is only set up."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from services.launch import ROOT, free_ports
from tests.docs.pages import Block, blocks
from tests.waiting import wait_for

BLOCKS = tuple(blocks(pages=[ROOT / "docs" / "tutorial.md"]))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Reader:
    """Does what the page says, step by step: writes its files, runs its commands."""

    def __init__(self, clone: Path) -> None:
        self.clone = clone
        self.port, self.metrics_port = free_ports(2)
        self.said: dict[str, str] = {}
        self.serving: subprocess.Popen[bytes] | None = None
        self.before = ""

    def follow(self, page: Iterable[Block]) -> None:
        for block in page:
            if block.name == "serve":
                self.serve(block.text.strip())
            elif block.language == "sh":
                for command in block.text.strip().splitlines():
                    self.run(command)
            else:
                (self.clone / block.name).write_text(block.text)

    def run(self, command: str) -> None:
        if " --version 2" in command:
            self.before = self.version()
        done = subprocess.run(
            ["bash", "-euc", self.on_free_ports(command)],
            cwd=self.clone, env={**os.environ, **self.where()}, capture_output=True, text=True,
            timeout=200, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        self.said[command] = done.stdout
        if " --version 2" in command:
            wait_for(lambda: self.version() != self.before, 60, "the new version never answered")

    def serve(self, command: str) -> None:
        self.serving = subprocess.Popen(
            ["bash", "-c", f"exec {self.on_free_ports(command)}"],
            cwd=self.clone, env={**os.environ, "RESNET_METRICS_PORT": str(self.metrics_port)},
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(self.is_ready, 60, "the service was never ready")

    def is_ready(self) -> bool:
        assert self.serving is not None
        assert self.serving.poll() is None, "the service ended"
        try:
            return urllib.request.urlopen(f"{self.url}/readyz", timeout=5).status == 200
        except (urllib.error.URLError, TimeoutError):
            return False

    def version(self) -> str:
        key = (self.clone / "tutorial.key").read_text().strip()
        asked = urllib.request.Request(f"{self.url}/v2/models/digits", headers={"X-API-Key": key})
        return json.load(urllib.request.urlopen(asked, timeout=10))["versions"][0]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def where(self) -> dict[str, str]:
        # Threads of a busy machine wait for each other; the network is small enough for one.
        return {"SCORING_RESNET_URL": self.url, "OMP_NUM_THREADS": "1"}

    def on_free_ports(self, command: str) -> str:
        return command.replace("8082", str(self.port))

    def answer(self, start: str) -> str:
        (found,) = (said for command, said in self.said.items() if command.startswith(start))
        return found


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    clone = tmp_path_factory.mktemp("clone")
    (clone / ".venv").symlink_to(sys.prefix)
    for folder in ("client", "services"):
        (clone / folder).symlink_to(ROOT / folder)
    reader = Reader(clone)
    try:
        reader.follow(BLOCKS)
        yield reader
    finally:
        if reader.serving:
            reader.serving.terminate()
            reader.serving.wait(30)


def test_the_network_learns(reader: Reader) -> None:
    share = re.match(r"([\d.]+)%", reader.said[".venv/bin/python digits.py"])
    assert share is not None
    assert float(share[1]) > 90


def test_the_service_knows_the_seven(reader: Reader) -> None:
    shown = reader.answer(".venv/bin/python -m client classify --key-file tutorial.key seven.png")
    assert re.search(r"\bseven\b", shown.splitlines()[0] + shown.splitlines()[1])


def test_the_standard_protocol_knows_the_model(reader: Reader) -> None:
    assert json.loads(reader.answer("curl"))["name"] == "digits"


def test_the_second_version_answers_after_it_was_packaged(reader: Reader) -> None:
    answer = reader.answer(".venv/bin/python -m client classify --key-file tutorial.key --json")
    (version,) = set(re.findall(r'"version": "([^"]+)"', answer))
    assert version != reader.before
    assert version == reader.version()


def test_the_page_says_no_more_than_it_was_followed_in() -> None:
    """Every block has a name or is a command: nothing stands there that nobody ran."""
    assert all(block.language == "sh" or block.name for block in BLOCKS)
