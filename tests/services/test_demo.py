"""``make demo``, whole: a model of each kind, three processes, two answers, and an orderly end.

ResNet-152's weights are put out of reach, so that its stand-in is used and nothing is downloaded.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from services.demo import QUESTION
from services.launch import ROOT
from services.resnet.classifier_folder import read_classifier_folder

PORTS = (8080, 8081, 8082, 9080, 9081, 9082)
ANSWER_LINE = "with "
CLOSED = "http://127.0.0.1:9"
OUT_OF_REACH = {
    "HTTPS_PROXY": CLOSED, "https_proxy": CLOSED, "HTTP_PROXY": CLOSED, "http_proxy": CLOSED,
    "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost",
}  # fmt: skip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def processes_about(folder: Path) -> list[str]:
    """The command lines of the processes that were given something in ``folder``."""
    lines: list[str] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(folder) in line:
                lines.append(line.replace(b"\0", b" ").decode(errors="replace"))
    return lines


def start(folder: Path, log: Path, *options: str) -> subprocess.Popen[bytes]:
    with log.open("wb") as stream:
        return subprocess.Popen(
            [sys.executable, "-u", "-m", "services.demo", "--folder", folder, *options],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
            env={**os.environ, **OUT_OF_REACH}, start_new_session=True,
            # Python leaves SIGINT ignored where its parent does, as a shell's background jobs do.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def free_ports() -> None:
    taken = [port for port in PORTS if is_open(port)]
    if taken:
        pytest.skip(f"the demo's ports are fixed, and in use: {taken}")


@dataclass(frozen=True)
class Finished:
    """A demo that has ended."""

    folder: Path
    status: int
    output: str


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The demo in a new folder, which ends after the first answers."""
    place = tmp_path_factory.mktemp("demo")
    folder, log = place / "folder", place / "log"
    process = start(folder, log, "--once")
    try:
        status = process.wait(400)
    finally:
        process.terminate()
    return Finished(folder, status, log.read_text())


@pytest.fixture
def waiting(once: Finished, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The demo in the same folder, which now waits for Ctrl-C, and its output."""
    log = tmp_path / "log"
    process = start(once.folder, log)
    try:
        until = time.monotonic() + 200
        while "Ctrl-C ends" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield process, log
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(100)


def test_it_prints_both_answers_and_ends(once: Finished) -> None:
    assert once.status == 0, once.output
    lines = [line.strip() for line in once.output.splitlines()]
    faq = next(place for place, line in enumerate(lines) if line.startswith("faq answers"))
    resnet = next(place for place, line in enumerate(lines) if line.startswith("resnet answers"))
    assert QUESTION in lines[faq]
    assert "unique values of an array" in lines[faq + 1].removeprefix(ANSWER_LINE)
    assert lines[resnet + 1] == ANSWER_LINE + repr("daisy")


def test_it_says_that_resnet_152_could_not_be_reached_and_what_is_used_instead(
    once: Finished,
) -> None:
    assert "using the pretrained efficientnet_lite0 instead" in once.output
    assert read_classifier_folder(once.folder / "resnet").architecture == "efficientnet_lite0"


def test_it_leaves_no_process_and_no_open_port(once: Finished) -> None:
    assert processes_about(once.folder) == []
    assert [port for port in PORTS if is_open(port)] == []


def test_the_keys_that_it_writes_are_their_owners_only(once: Finished) -> None:
    for name in ("keys.json", "demo.key", "web.key"):
        assert (once.folder / name).stat().st_mode & 0o077 == 0
    assert (once.folder / "demo.key").read_text().strip() not in once.output


def test_while_it_waits_all_three_answer_and_ctrl_c_ends_them(
    waiting: tuple[subprocess.Popen[bytes], Path], once: Finished
) -> None:
    process, log = waiting
    for port in (8080, 8081, 8082):
        assert httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    assert len(processes_about(once.folder)) >= 4
    os.killpg(process.pid, signal.SIGINT)

    assert process.wait(60) == 0
    assert "Traceback" not in log.read_text()
    assert processes_about(once.folder) == []
    assert [port for port in PORTS if is_open(port)] == []


def test_the_models_of_an_earlier_run_are_used_again(
    waiting: tuple[subprocess.Popen[bytes], Path],
) -> None:
    output = waiting[1].read_text()
    assert "Training" not in output
    assert "Fetching" not in output


def test_a_service_that_dies_ends_the_demo_with_one_line(
    waiting: tuple[subprocess.Popen[bytes], Path], once: Finished
) -> None:
    process, log = waiting
    (faq,) = (
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and is_child(entry, process.pid, b"services.faq")
    )
    os.kill(faq, signal.SIGKILL)

    assert process.wait(60) == 1
    assert log.read_text().splitlines()[-1].startswith("demo: faq ended: ")
    assert processes_about(once.folder) == []


def is_child(entry: Path, parent: int, module: bytes) -> bool:
    try:
        status, line = (entry / "status").read_text(), (entry / "cmdline").read_bytes()
    except OSError:
        return False
    return f"\nPPid:\t{parent}\n" in status and module in line
