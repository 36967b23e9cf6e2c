"""CPU against GPU: rows are measured where they say, kept when interrupted, and priced by input."""

from __future__ import annotations

import http.server
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.cpu_gpu.__main__ import main
from benchmarks.cpu_gpu.row import Point, Row, read_rows, write_rows
from tests.conftest import Server
from tests.local_server import address_of, served

POINT = Point(load=7, throughput=7, p50_ms=100, p95_ms=150, p99_ms=200)
CPU = Row(
    name="cpu", pods=2, device="cpu", backend="onnxruntime-cpu", model="resnet152",
    usd_per_hour=0.4, saturation=10, callers=4, levels=(POINT,), comfortable=POINT,
    machine="a machine", date="2026-01-01",
)  # fmt: skip


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "rows.jsonl"


@pytest.fixture
def metrics_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A pod's metrics that name the device that the test is parametrised with."""
    device: str = request.param

    class Metrics(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            labels = f'name="m",version="1",sha256="",backend="torch",device="{device}"'
            self.wfile.write(f"modelsvc_model_info{{{labels}}} 1\n".encode())

        def log_message(self, *_: object) -> None:
            pass

    with served(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metrics)) as server:
        yield address_of(server)


@pytest.mark.parametrize(
    ("metrics_url", "claimed"),
    [("cpu", "gpu"), ("cuda NVIDIA A100", "cpu"), ("", "gpu")],
    indirect=["metrics_url"],
)
def test_a_row_of_a_device_is_measured_on_it_or_not_at_all(
    metrics_url: str, claimed: str, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint = ["--url", "http://127.0.0.1:9", "--metrics-url", metrics_url, "--name", "x"]
    assert main(["endpoint", "--results", str(results), "--device", claimed, *endpoint]) == 1
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert f"--device {claimed}, and the service runs on" in line
    assert not results.exists()


def test_pictures_per_dollar_come_from_the_prices_that_are_given(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gpu = CPU.model_copy(
        update={
            "name": "gpu",
            "device": "cuda NVIDIA A100",
            "usd_per_hour": None,
            "saturation": 400,
        }
    )
    write_rows([CPU, gpu], results)
    picture = tmp_path / "plot.png"
    report = ["report", "--results", str(results), "--plot", str(picture)]
    assert main([*report, "--price", "gpu=3.6"]) == 0
    cpu_line, gpu_line = (
        [cell.strip() for cell in line.split("|")]
        for line in capsys.readouterr().out.splitlines()[-6:]
        if line.startswith(("| cpu", "| gpu"))
    )
    assert cpu_line[-2] == "90,000"  # 3,600 s/h × 10 /s ÷ 0.4 $/h
    assert gpu_line[-2] == "400,000"
    assert "cuda NVIDIA A100" in gpu_line
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main([*report, "--price", "other=1"]) == 1
    assert "must be NAME=USD" in capsys.readouterr().err


def test_what_is_there_is_not_measured_again(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows([CPU], results)
    nobody = ["--url", "http://127.0.0.1:9", "--metrics-url", "http://127.0.0.1:9"]
    command = ["endpoint", "--results", str(results), "--name", "cpu", *nobody]
    assert main(command) == 0
    assert "is there already" in capsys.readouterr().err
    assert main([*command, "--again"]) == 1
    assert "the metrics cannot be read" in capsys.readouterr().err
    assert read_rows(results) == [CPU]


def test_a_damaged_file_is_one_line_that_names_it(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results.write_text(CPU.model_dump_json() + "\n{}\n")
    assert main(["report", "--results", str(results)]) == 1
    assert "line 2 is no row" in capsys.readouterr().err
    assert main(["report", "--results", str(results.with_name("none"))]) == 1
    assert "nothing was measured yet" in capsys.readouterr().err


@pytest.mark.slow
def test_a_real_service_is_measured(
    resnet_server: Server, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "key"
    key.write_text(resnet_server.key)
    endpoint = [
        "endpoint", "--results", str(results), "--name", "here", "--url", resnet_server.url,
        "--metrics-url", resnet_server.metrics_url, "--key-file", str(key), "--seconds", "2",
        "--level-seconds", "1", "--max-callers", "2", "--usd-per-hour", "0.1",
    ]  # fmt: skip
    assert main(endpoint) == 0
    (row,) = read_rows(results)
    assert (row.device, row.backend, row.model) == ("cpu", "onnxruntime-cpu", "efficientnet_lite0")
    assert [point.load for point in row.levels] == [1, 2]
    assert row.comfortable.load == pytest.approx(0.7 * row.saturation, rel=0.7)
    assert resnet_server.key not in capsys.readouterr().err
