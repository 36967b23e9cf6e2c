"""Start and end of a service: signals, ports, deaths."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from services.launch import free_ports
from services.serving.command_line import CommandFailed
from services.serving.server import require_free_port
from tests.services.serving.live_service import (
    JSON,
    Answer,
    LiveService,
    head,
    pull,
    service,
)
from tests.services.serving.model_folders import write_model

SLOW = ("--max-batch", 1, "--deadline-ms", 20_000)


class Asking:
    """Requests on their way, each in a thread of its own."""

    def __init__(self, live: LiveService, *texts: str) -> None:
        self.answers: list[Answer] = []
        self.errors: list[Exception] = []
        self._live = live
        self._threads = [threading.Thread(target=self._ask, args=(text,)) for text in texts]
        for thread in self._threads:
            thread.start()

    def _ask(self, text: str) -> None:
        try:
            self.answers.append(self._live.pull(text))
        except OSError as error:
            self.errors.append(error)

    def wait(self) -> list[int]:
        for thread in self._threads:
            thread.join(30)
        return [answer.status for answer in self.answers]


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def wait_for(condition: Callable[[], bool], within: float = 10) -> None:
    until = time.monotonic() + within
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def ended_with_one_line(live: LiveService, status: int = 1) -> str:
    """The only line that a service which could not start has written."""
    assert live.process.wait(30) == status
    lines = live.log_text.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_sigterm_loses_no_accepted_request_in_flight_or_queued(tmp_path: Path) -> None:
    with service(tmp_path, *SLOW) as live:
        asking = Asking(live, *["sleep:0.3"] * 6)
        live.wait_until_queued(6)
        live.process.send_signal(signal.SIGTERM)

        assert asking.wait() == [200] * 6
        assert asking.errors == []
        assert live.process.wait(10) == 0
        assert not is_open(live.port)


def test_a_draining_service_is_not_ready_but_still_answers_and_says_goodbye(
    tmp_path: Path,
) -> None:
    with service(tmp_path, "--drain-seconds", 2) as live:
        assert "connection" not in live.pull("x").headers
        began = time.monotonic()
        live.process.send_signal(signal.SIGTERM)
        wait_for(lambda: live.get("/readyz").status == 503)

        assert live.get("/livez").status == 200
        assert live.metric("modelsvc_ready") == 0
        for _ in range(5):
            answer = live.pull("x")
            assert answer.status == 200
            assert answer.headers["connection"] == "close"
        asking = Asking(live, "sleep:3")
        live.wait_until_queued(1)

        assert asking.wait() == [200]
        assert asking.errors == []
        assert live.process.wait(10) == 0
        assert time.monotonic() - began >= 2
        assert not is_open(live.port)


def test_a_connection_kept_alive_is_closed_with_the_next_answer(tmp_path: Path) -> None:
    with service(tmp_path, "--drain-seconds", 3) as live, live.wire() as wire:
        request = head("POST", "/v1/pull", JSON, len(pull("x"))) + pull("x")
        wire.send(request)
        wire.read()
        live.process.send_signal(signal.SIGTERM)
        wait_for(lambda: live.get("/readyz").status == 503)
        wire.send(request)

        assert wire.read().headers["connection"] == "close"
        assert wire.is_closed_by_server()


@pytest.mark.parametrize(
    "second", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_second_signal_ends_the_drain_at_once(tmp_path: Path, second: int) -> None:
    with service(tmp_path, "--drain-seconds", 60) as live:
        live.process.send_signal(signal.SIGTERM)
        wait_for(lambda: live.get("/readyz").status == 503)
        live.process.send_signal(second)

        assert live.process.wait(5) == 0


def test_ctrl_c_stops_the_service_after_what_is_under_way(tmp_path: Path) -> None:
    with service(tmp_path, *SLOW) as live:
        asking = Asking(live, "sleep:0.5")
        live.wait_until_queued(1)
        os.killpg(live.process.pid, signal.SIGINT)

        assert asking.wait() == [200]
        assert live.process.wait(5) == 0
        assert not is_open(live.port)


@pytest.mark.slow
def test_a_request_that_never_ends_is_given_up_after_stop_seconds(tmp_path: Path) -> None:
    with service(tmp_path, "--stop-seconds", 1, "--deadline-ms", 60_000) as live:
        asking = Asking(live, "sleep:30")
        live.wait_until_queued(1)
        live.process.send_signal(signal.SIGTERM)

        live.process.wait(8)
        asking.wait()
        assert len(asking.errors) == 1
        assert not is_open(live.port)


def test_a_killed_service_leaves_nothing_on_its_ports(tmp_path: Path) -> None:
    with service(tmp_path) as live:
        os.kill(live.process.pid, signal.SIGKILL)
        live.process.wait()

        wait_for(lambda: not is_open(live.port))
        wait_for(lambda: not is_open(live.metrics_port))


def test_a_model_that_ends_the_process_ends_the_service(tmp_path: Path) -> None:
    with service(tmp_path) as live:
        with suppress(ConnectionError):
            live.pull("exit")

        assert live.process.wait(10) == 3
        assert not is_open(live.port)


def handles(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
def test_a_service_can_be_stopped_while_it_loads(tmp_path: Path, first: int) -> None:
    with service(tmp_path, "--load-seconds", 30, ready=False) as live:
        wait_for(lambda: handles(live.process.pid, signal.SIGTERM))
        time.sleep(0.5)
        os.killpg(live.process.pid, first)

        assert live.process.wait(5) == 0
        assert "Traceback" not in live.log_text


def test_who_asks_for_another_model_while_one_loads_gets_it_afterwards(tmp_path: Path) -> None:
    model = tmp_path / "model"
    write_model(model, "v0")
    options = ("--read-model", "--model", model, "--model-check-seconds", 0, "--load-seconds", 2)
    with service(tmp_path, *options, ready=False) as live:
        wait_for(lambda: handles(live.process.pid, signal.SIGTERM))
        time.sleep(0.5)
        write_model(model, "v1")
        live.process.send_signal(signal.SIGHUP)
        live.wait_until_ready()
        wait_for(lambda: live.pull("x").headers["x-model-version"] == "v1")


def test_a_service_that_loads_takes_no_requests_yet(tmp_path: Path) -> None:
    with service(tmp_path, "--load-seconds", 1.5, ready=False) as live:
        time.sleep(0.8)
        assert not is_open(live.port)
        live.wait_until_ready()


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with service(tmp_path, ready=False, ports=(port, free_ports(1)[0])) as live:
            line = ended_with_one_line(live)

    assert line == f"lever serve: port {port} on 127.0.0.1 is in use; choose another one"


def test_a_metrics_port_in_use_is_one_line_before_the_model_is_loaded(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = (free_ports(1)[0], taken.getsockname()[1])
        with service(tmp_path, "--load-seconds", 60, ready=False, ports=ports) as live:
            line = ended_with_one_line(live)

    assert line == f"lever serve: port {ports[1]} on 127.0.0.1 is in use; choose another one"


@pytest.mark.slow
def test_two_services_do_not_share_a_port(tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    with (
        service(tmp_path) as live,
        service(tmp_path / "second", ready=False, ports=(live.port, free_ports(1)[0])) as second,
    ):
        assert "is in use" in ended_with_one_line(second)
        assert live.pull("x").status == 200


@pytest.mark.slow
def test_a_port_can_be_used_again_at_once(tmp_path: Path) -> None:
    with service(tmp_path) as live:
        live.pull("x")
        ports = (live.port, live.metrics_port)
    with service(tmp_path, ports=ports) as live:
        assert live.pull("x").status == 200


def test_a_model_that_fails_its_warm_up_never_becomes_ready(tmp_path: Path) -> None:
    with service(tmp_path, "--reject", ready=False) as live:
        line = ended_with_one_line(live)

    assert line == "lever serve: the warm-up output differs from the expected one"


def test_a_missing_model_folder_is_one_line(tmp_path: Path) -> None:
    with service(tmp_path, "--read-model", "--model", tmp_path / "no", ready=False) as live:
        line = ended_with_one_line(live)

    assert line == f"lever serve: {tmp_path / 'no'}: is missing; fetch or train the model first"


def test_a_bad_key_file_is_one_line(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text("{")
    with service(tmp_path, "--keys", keys, ready=False) as live:
        assert ended_with_one_line(live).startswith(f"lever serve: {keys}: not a key file: ")


def test_an_unforeseen_failure_to_load_is_told_in_one_line_and_logged(tmp_path: Path) -> None:
    with service(tmp_path, "--load-seconds", -1, ready=False) as live:
        assert live.process.wait(30) == 1
        logged, told = live.log_text.splitlines()

    assert told == "lever serve: ValueError: sleep length must be non-negative"
    assert '"exc_info": "ValueError at __init__' in logged


def test_http_2_is_not_accepted(tmp_path: Path) -> None:
    """On one connection of HTTP/2 many bodies could stall, which could not be told apart."""
    settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    with service(tmp_path) as live:
        with live.wire(timeout=5) as wire:
            wire.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings)
            answer = received(wire.socket)
        assert answer[3:9] != settings[3:9], "a SETTINGS frame is how HTTP/2 is accepted"
        assert not answer or answer.startswith(b"HTTP/1.1 4")
        assert live.pull("x").status == 200


def test_an_upgrade_to_http_2_is_passed_over(tmp_path: Path) -> None:
    upgrade = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": ""}
    with service(tmp_path) as live:
        assert live.request("POST", "/v1/pull", pull("x"), {**JSON, **upgrade}).status == 200


def received(connection: socket.socket) -> bytes:
    """All that the service sends until it closes the connection or has nothing more to say."""
    pieces: list[bytes] = []
    with suppress(ConnectionResetError, TimeoutError):
        while piece := connection.recv(4096):
            pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("host", ["203.0.113.1", "no.such.host.invalid", "not a host"])
def test_an_address_that_is_not_ours_is_one_line(host: str) -> None:
    with pytest.raises(CommandFailed, match="cannot be opened") as raised:
        require_free_port(host, free_ports(1)[0])
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_a_service_listens_where_it_is_told(tmp_path: Path, host: str) -> None:
    family = socket.AF_INET6 if host == "::1" else socket.AF_INET
    try:
        socket.socket(family).bind((host, 0))
    except OSError:
        pytest.skip(f"this machine has no address {host}")
    with service(tmp_path, "--host", host, ready=False) as live:
        wait_for(lambda: "model ready" in live.log_text, 30)
        wait_for(lambda: connects(host, live.port))


def connects(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 1).close()
    except OSError:
        return False
    return True


def test_the_first_request_pays_for_nothing_that_could_be_done_before(tmp_path: Path) -> None:
    with service(tmp_path) as live:
        frozen, mime_types = live.pull("frozen", "mime types").json["texts"]

    assert int(frozen) > 10_000, "the first full collection would take 50 ms"
    assert mime_types == "True", "reading them takes 40 ms"
