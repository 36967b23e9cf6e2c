"""Real services for every test that needs one: trained models, real processes, real HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from services.serving.api_keys import ApiKey, KeyFile, key_hash, new_key, write_key_file

ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "services" / "faq" / "corpus"
START_SECONDS = 90.0


@dataclass(frozen=True)
class RunningServer:
    """A service running in a process of its own."""

    url: str
    metrics_url: str
    key: str
    process: subprocess.Popen[bytes]
    log: Path


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on at the moment."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def write_keys(folder: Path, *scopes: str) -> tuple[Path, str]:
    """A key file with one key for ``scopes``, and the key."""
    key = new_key()
    path = folder / "keys.json"
    entry = ApiKey(name="tests", sha256=key_hash(key), scopes=frozenset(scopes))
    write_key_file(path, KeyFile(keys=(entry,)))
    return path, key


@contextmanager
def running(
    module: str, *options: str | Path, folder: Path, key: str = ""
) -> Iterator[RunningServer]:
    """``python -m module serve`` with these options on free ports, ready to answer."""
    port, metrics_port = free_ports(2)
    log = folder / f"{module.rsplit('.', 1)[-1]}-{port}.log"
    ports = ("--port", str(port), "--metrics-port", str(metrics_port))
    command = [sys.executable, "-m", module, "serve", *ports, *map(str, options)]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
    server = RunningServer(
        f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics_port}", key, process, log
    )
    try:
        wait_until_ready(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(server: RunningServer) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if server.process.poll() is not None:
            pytest.fail(f"the service ended: {server.log.read_text()[-2000:]}")
        try:
            if httpx.get(f"{server.url}/readyz", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    pytest.fail(f"the service was not ready in {START_SECONDS} s")


def command(module: str, *arguments: str | Path, timeout: float = 240) -> None:
    """Run ``python -m module`` and fail the test with its error if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.fail(f"{module} {arguments[0]}: {done.stderr[-2000:]}")


@pytest.fixture(scope="session")
def faq_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The FAQ model, trained on the repository's corpus."""
    folder = tmp_path_factory.mktemp("models") / "faq"
    command("services.faq", "train", "--data", CORPUS, "--model", folder)
    return folder


@pytest.fixture(scope="session")
def resnet_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image model with real ImageNet weights."""
    folder = tmp_path_factory.mktemp("models") / "resnet"
    architecture: Sequence[str] = ("--architecture", "efficientnet_lite0")
    command("services.resnet", "fetch", "--model", folder, *architecture)
    return folder


@pytest.fixture(scope="session")
def faq_server(
    faq_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """The FAQ service with that model, which needs a key."""
    folder = tmp_path_factory.mktemp("faq-server")
    keys, key = write_keys(folder, "faq")
    options = ("--model", faq_model, "--keys", keys)
    with running("services.faq", *options, folder=folder, key=key) as server:
        yield server


@pytest.fixture(scope="session")
def resnet_server(
    resnet_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """The image service with that model, which needs a key."""
    folder = tmp_path_factory.mktemp("resnet-server")
    keys, key = write_keys(folder, "resnet")
    options = ("--model", resnet_model, "--keys", keys)
    with running("services.resnet", *options, folder=folder, key=key) as server:
        yield server
