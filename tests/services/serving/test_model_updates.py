"""A running service changes its model under load and loses no request."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.launch import free_ports
from tests.services.serving.live_service import (
    LEVER,
    ROOT,
    LiveService,
    service,
)
from tests.services.serving.model_folders import spoil, write_model


def wait_for(condition: Callable[[], bool], within: float = 20) -> None:
    until = time.monotonic() + within
    while not condition():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.05)


def version(live: LiveService) -> str:
    return live.pull("x").headers["x-model-version"]


@contextmanager
def under_load(live: LiveService, callers: int = 3) -> Iterator[Counter[tuple[int, str]]]:
    """What became of requests that are sent all the while: status and version."""
    over, seen = threading.Event(), Counter[tuple[int, str]]()

    def ask() -> None:
        while not over.is_set():
            try:
                answer = live.pull("sleep:0.002")
                seen[answer.status, answer.headers.get("x-model-version", "")] += 1
            except OSError as error:
                seen[0, type(error).__name__] += 1

    threads = [threading.Thread(target=ask) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_no_request_is_lost_while_models_come_and_go(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    write_model(folder, "v0")
    options = ("--read-model", "--model", folder, "--model-check-seconds", 0.1)
    with service(tmp_path, *options) as live, under_load(live) as seen:
        for number in range(1, 4):
            write_model(folder, f"v{number}")
            wait_for(lambda wanted=f"v{number}": version(live) == wanted)
        write_model(folder, "bad")
        spoil(folder)
        refused = 'modelsvc_model_updates_total{result="refused"}'
        wait_for(lambda: live.metric(refused) >= 1)
        assert version(live) == "v3"
        log = live.log_text
        assert live.metric('modelsvc_model_updates_total{result="taken"}') == 3

    assert {status for status, _ in seen} == {200}
    assert {name for _, name in seen} == {"v0", "v1", "v2", "v3"}
    assert log.count("a new model was refused") == 1


def test_a_model_that_is_not_brief_has_its_thread_and_no_request_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    write_model(folder, "v0")
    options = ("--brief", "--read-model", "--model", folder, "--model-check-seconds", 0.1)
    with service(tmp_path, *options) as live, under_load(live) as seen:
        threads = [live.pull("thread").json["texts"]]
        for version_, content in (("v1", "slow"), ("v2", "slow"), ("v3", "brief")):
            write_model(folder, version_, content)
            wait_for(lambda wanted=version_: version(live) == wanted)
            wait_for(lambda: live.pull("thread").json["texts"] == ["batcher"])
            threads.append(live.pull("thread").json["texts"])

    assert threads == [["MainThread"], *[["batcher"]] * 3]
    assert {status for status, _ in seen} == {200}
    assert {name for _, name in seen} == {"v0", "v1", "v2", "v3"}


def test_sighup_asks_for_a_look(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    write_model(folder, "v0")
    options = ("--read-model", "--model", folder, "--model-check-seconds", 0)
    with service(tmp_path, *options) as live:
        write_model(folder, "v1")
        time.sleep(0.5)
        assert version(live) == "v0"
        live.process.send_signal(signal.SIGHUP)
        wait_for(lambda: version(live) == "v1")

        assert live.process.poll() is None


def test_a_closed_terminal_ends_the_service(tmp_path: Path) -> None:
    port, metrics_port = free_ports(2)
    ours, theirs = pty.openpty()

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", LEVER, "serve", "--port", str(port), "--metrics-port",
             str(metrics_port)],
            cwd=ROOT, stdin=theirs, stdout=log, stderr=log, preexec_fn=take_terminal,
        )  # fmt: skip
    os.close(theirs)
    live = LiveService(port, metrics_port, process, tmp_path / "log")
    try:
        live.wait_until_ready()
        os.close(ours)
        assert process.wait(10) == 0
    finally:
        process.kill()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_models(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    write_model(folder, "v0")
    options = ("--read-model", "--model", folder, "--model-check-seconds", 0.05)

    def resident(live: LiveService) -> int:
        status = Path(f"/proc/{live.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if "VmRSS" in line).split()[1])

    with service(tmp_path, *options) as live:
        for number in range(1, 6):
            write_model(folder, f"v{number}")
            wait_for(lambda wanted=f"v{number}": version(live) == wanted)
        before = resident(live)
        for number in range(6, 30):
            write_model(folder, f"v{number}")
            wait_for(lambda wanted=f"v{number}": version(live) == wanted)
        assert resident(live) - before < 5_000, "KiB"
