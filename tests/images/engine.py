"""A Docker engine: the one that runs here, or one that the tests start and stop.

The tests' own keeps its images and layers in ``~/.cache/scoring-test-images``, so that a second run
builds nothing. Everything else of it (socket, process files) is in a folder under /tmp, it touches
neither iptables nor routes, and it makes no bridge: a user's engine is never in its way.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import pytest

from infra.image_making.docker_client import DockerClient, DockerFailed, find_docker

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scoring-test-images"
START_SECONDS = 60
WAIT_FOR_OTHERS_SECONDS = 1500
KEPT_LAYERS = "6GB"


def absent(reason: str) -> NoReturn:
    """Skip the test, or fail it where a machine is expected to have all that it needs."""
    if os.environ.get("SCORING_REQUIRE_DOCKER"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def docker_engine() -> Iterator[DockerClient]:
    """A client of an engine; skips the test, with the reason, where there is none."""
    try:
        docker = find_docker()
    except DockerFailed as missing:
        absent(f"{missing}; make docker")
    if _answers(docker):
        yield docker
        return
    if shutil.which("dockerd") is None:
        absent("no Docker engine runs, and dockerd is not here; make docker")
    if os.geteuid() != 0:
        absent("no Docker engine runs, and only root can start one")
    CACHE.mkdir(parents=True, exist_ok=True)
    with _only_one_at_a_time(), started_engine(docker.program) as own:
        yield own


@contextmanager
def started_engine(program: Path) -> Iterator[DockerClient]:
    """An engine of the tests' own, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="scoring-docker-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        docker = DockerClient(program, f"unix://{folder}/docker.sock")
        log = folder / "log"
        (folder / "daemon.json").write_text("{}")
        with process(_command(folder), log, stop_seconds=60) as engine:
            _wait_until_it_answers(docker, engine, log)
            yield docker
            with suppress(DockerFailed):
                docker.run("image", "prune", "--force")
                docker.run("builder", "prune", "--force", "--keep-storage", KEPT_LAYERS)


@contextmanager
def process(
    command: list[str | Path], log: Path, *, stop_seconds: float
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block, and with the tests however those end."""
    with log.open("wb") as stream:
        running = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
            start_new_session=True, preexec_fn=_end_with_parent(),
        )  # fmt: skip
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(stop_seconds)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait(10)


def _command(folder: Path) -> list[str | Path]:
    return [
        "dockerd",
        "--data-root", CACHE / "engine",
        "--exec-root", folder / "exec",
        "--pidfile", folder / "pid",
        "--host", f"unix://{folder}/docker.sock",
        "--config-file", folder / "daemon.json",
        "--bridge", "none",
        "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false",
    ]  # fmt: skip


def _wait_until_it_answers(
    docker: DockerClient, engine: subprocess.Popen[bytes], log: Path
) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and engine.poll() is None:
        if _answers(docker):
            return
        time.sleep(0.5)
    lines = log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
    absent(f"dockerd does not start here: {lines[-1]}")


def _answers(docker: DockerClient) -> bool:
    try:
        docker.run("info", timeout=20)
    except DockerFailed:
        return False
    return True


@contextmanager
def _only_one_at_a_time() -> Iterator[None]:
    """Two engines must not share their images; another run of the tests is waited for."""
    with (CACHE / "lock").open("w") as lock:
        until = time.monotonic() + WAIT_FOR_OTHERS_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    absent("another run of the tests holds the Docker engine")
                time.sleep(1)
        yield


def _end_with_parent() -> Callable[[], None] | None:
    """Linux ends the process when the tests are killed, too."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    parent_death_signal = 1
    return lambda: library.prctl(parent_death_signal, signal.SIGTERM)
