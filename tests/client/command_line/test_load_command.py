"""The load test as a command."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading

import pytest

QUICK = ("--seconds", "0.5", "--rates", "50,150", "--saturation", "40", "--arrivals", "constant")


def test_a_load_test_prints_a_table_and_writes_its_files(run, service, tmp_path):
    figures, picture = tmp_path / "load.json", tmp_path / "load.png"
    done = run(
        "load", "--service", "faq", "--url", service.url, *QUICK,
        "--json", figures, "--plot", picture,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Saturation: 40.0 answers/s" in done.stdout
    steps = json.loads(figures.read_text())["steps"]
    assert [step["name"] for step in steps] == ["50 %", "150 %"]
    assert [step["offered"] for step in steps] == [10, 30]
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert len(done.stderr.splitlines()) == 2


def test_saturation_is_found_by_raising_the_callers(run, service):
    done = run(
        "load", "--service", "resnet", "--url", service.url, "--level-seconds", "0.3",
        "--max-callers", "2", "--rates", "5", "--seconds", "0.3",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "callers  answers/s" in done.stdout
    assert "Ended because" in done.stdout
    assert {each.path for each in service.received} == {"/v1/classify?top_k=5"}


def test_questions_come_from_a_file(run, service, tmp_path):
    path = tmp_path / "questions.txt"
    path.write_text("first?\n\nsecond?\n", encoding="utf-8")
    done = run("load", "--service", "faq", "--url", service.url, *QUICK, "--questions", path)
    assert done.returncode == 0
    assert {json.loads(each.body)["question"] for each in service.received} == {
        "first?", "second?",
    }  # fmt: skip


def test_a_service_that_does_not_recover_is_status_3(run, service):
    served = 0

    def fail_for_good(exchange) -> None:
        nonlocal served
        served += 1
        exchange.as_expected() if served < 20 else exchange.problem(500)

    service.behaviour = fail_for_good
    done = run("load", "--service", "faq", "--url", service.url, *QUICK, "--recover")
    assert done.returncode == 3
    assert "did NOT recover" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (("--url", "http://scoring.example.org"), 1, "--permit-host scoring.example.org"),
        (("--url", "http://127.0.0.1:1"), 1, "http://127.0.0.1:1: no answer (ConnectError)"),
        (("--rates", "50,many"), 2, "not a list of numbers such as 50,80,120"),
        (("--rates", "0"), 2, "each must be from 1 to 10000"),
        (("--seconds", "601"), 2, "must be from 0.1 to 600"),
        (("--plot", "a.pdf"), 2, "a.pdf: a plot is a .png or .svg file"),
        (("--json", "/does/not/exist/a.json"), 2, "its folder does not exist"),
        (("--picture", "a.jpg"), 2, "--picture for --service resnet"),
        (("--questions", "/dev/null"), 2, "/dev/null: holds no question"),
        (("--service", "web"), 2, "--service: not one of them (choose from 'faq', 'resnet')"),
    ],
)
def test_bad_input_is_one_line(call, arguments, status, line):
    done = call("load", "--service", "faq", *arguments)
    assert done.returncode == status
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.rstrip("\n").endswith(line)


def test_ctrl_c_ends_a_load_test_at_once(service):
    loaded = threading.Event()

    def note(exchange) -> None:
        if len(service.received) > 5:
            loaded.set()
        exchange.as_expected()

    service.behaviour = note
    process = subprocess.Popen(
        [
            sys.executable, "-m", "client", "load", "--service", "faq", "--url", service.url,
            "--saturation", "50", "--seconds", "60",
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert loaded.wait(20)
    process.send_signal(signal.SIGINT)
    output, error = process.communicate(timeout=20)
    assert process.returncode == 130
    assert (output, error) == ("", "python -m client load: interrupted\n")
