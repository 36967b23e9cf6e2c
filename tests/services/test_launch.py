"""Starting a service in a process of its own, and what is said when that fails."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services import launch as launching
from services.launch import PORTS, LaunchedService, LaunchFailed, free_ports, launch, running

LEVER = "tests.services.serving.lever_service"


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[LaunchedService]]:
    """Services of the test, ended after it."""
    services: list[LaunchedService] = []
    yield services
    for service in services:
        service.process.kill()
        service.process.wait()


def program(code: str, folder: Path) -> LaunchedService:
    """Any Python program in a service's place."""
    log = folder / "program.log"
    with log.open("wb") as stream:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=stream, stderr=stream)
    return LaunchedService("program", "http://127.0.0.1:1", "http://127.0.0.1:1", process, log)


def test_a_service_is_ready_in_the_block_and_gone_after_it(tmp_path: Path) -> None:
    with running(LEVER, log_folder=tmp_path) as service:
        assert httpx.get(f"{service.url}/readyz").status_code == 200
        assert "modelsvc_ready" in httpx.get(f"{service.metrics_url}/metrics").text

    assert service.process.returncode == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{service.url}/readyz")


def test_a_service_that_ends_at_once_is_told_of_with_its_last_line(
    tmp_path: Path, started: list[LaunchedService]
) -> None:
    started.append(launch(LEVER, "--reject", log_folder=tmp_path))

    with pytest.raises(LaunchFailed) as raised:
        started[0].wait_until_ready()
    assert str(raised.value) == (
        "lever_service did not start: lever serve: the warm-up output differs from the expected one"
    )


def test_of_many_lines_the_last_one_is_told(tmp_path: Path, started: list[LaunchedService]) -> None:
    started.append(program("print('first'); print('second'); print()", tmp_path))

    with pytest.raises(LaunchFailed, match=r"^program did not start: second$"):
        started[0].wait_until_ready()


def test_a_service_that_ends_in_silence_is_told_of_too(
    tmp_path: Path, started: list[LaunchedService]
) -> None:
    started.append(program("raise SystemExit(3)", tmp_path))

    with pytest.raises(LaunchFailed, match=r"^program did not start: its log is empty$"):
        started[0].wait_until_ready()


def test_a_service_that_is_never_ready_is_given_up_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched: list[LaunchedService] = []

    def noted(*arguments: object, **options: object) -> LaunchedService:
        launched.append(launch(*arguments, **options))  # type: ignore[arg-type]
        return launched[-1]

    monkeypatch.setattr(launching, "launch", noted)
    monkeypatch.setattr(launching, "READY_SECONDS", 0.5)
    with (
        pytest.raises(LaunchFailed, match=r"lever_service was not ready in .* s; see "),
        running(LEVER, "--load-seconds", "60", log_folder=tmp_path),
    ):
        pytest.fail("it was not ready")

    assert launched[0].process.returncode is not None


def test_a_process_that_ignores_the_request_to_end_is_killed(
    tmp_path: Path, started: list[LaunchedService], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "STOP_SECONDS", 0.3)
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); "
    started.append(program(deaf + "time.sleep(60)", tmp_path))
    until = time.monotonic() + 20
    while "deaf" not in started[0].log.read_text():
        assert time.monotonic() < until
        time.sleep(0.01)

    assert started[0].stop() == -9


def test_free_ports_are_not_those_that_the_system_hands_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as handed_out:
        assert handed_out.getsockname()[1] not in PORTS

    ports = free_ports(9)

    assert len(set(ports)) == 9
    assert set(ports) <= set(PORTS)


def test_a_port_that_somebody_listens_on_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        monkeypatch.setattr(launching, "PORTS", range(port, port + 3))
        assert port not in {found for _ in range(9) for found in free_ports(1)}


def test_two_processes_of_one_seed_choose_other_ports() -> None:
    random.seed(1)
    first = free_ports(9)
    random.seed(1)
    assert free_ports(9) != first
