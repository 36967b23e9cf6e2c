"""`fetch` writes a whole, checked model folder, or nothing and one line."""

from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from services.resnet import fetch as fetching
from services.resnet.__main__ import run
from services.resnet.classifier_folder import read_classifier_folder
from services.resnet.networks import build_network, load_state
from services.serving.model_folder import new_model_folder
from tests.local_server import address_of, served

NETWORK = "squeezenet1_1"


@dataclass
class Mirror:
    """A web server with one file, which may break off after so many bytes of each answer."""

    content: bytes
    break_after: int | None = None
    seconds_a_piece: float = 0.0
    ranges: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Weights as their publisher would have them."""
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("published") / "weights.pth"
    torch.save(build_network(NETWORK).state_dict(), path)
    return path.read_bytes()


@pytest.fixture
def mirror(published: bytes) -> Iterator[Mirror]:
    state = Mirror(published)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            state.ranges.append(asked)
            start = int(re.fullmatch(r"bytes=(\d+)-", asked).group(1)) if asked else 0
            rest = state.content[start:]
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(rest)))
            if asked:
                whole = len(state.content)
                self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
            self.send_header("ETag", f'"{hashlib.sha256(state.content).hexdigest()[:16]}"')
            self.end_headers()
            self._send(rest[: state.break_after])

        def _send(self, body: bytes) -> None:
            step = 1 << 16
            # A client that was interrupted is gone before the end.
            with suppress(ConnectionError):
                for offset in range(0, len(body), step):
                    self.wfile.write(body[offset : offset + step])
                    time.sleep(state.seconds_a_piece)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"{address_of(server)}/mirror/weights.pth"
    with served(server):
        yield state


def fetch(model: Path, *options: str) -> int:
    return run(["fetch", "--model", str(model), "--architecture", NETWORK, *options])


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1, captured.err
    assert captured.out == ""
    return lines[0]


def leftovers(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_weights_of_the_right_hash_are_fetched_and_served_as_they_are(
    mirror: Mirror, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    assert fetch(model, "--url", mirror.url, "--sha256", digest(mirror.content).upper()) == 0
    folder = read_classifier_folder(model)
    assert folder.manifest.version == f"custom-{digest(mirror.content)[:8]}"
    assert folder.manifest.details["source_sha256"] == digest(mirror.content)
    network = build_network(NETWORK)
    load_state(network, torch.load(_saved(mirror, tmp_path), weights_only=True))
    with torch.inference_mode():
        expected = network(torch.from_numpy(folder.golden.batch)).numpy()
    assert abs(folder.golden.logits - expected).max() < 1e-4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "saved.pth"]


def _saved(mirror: Mirror, folder: Path) -> Path:
    path = folder / "saved.pth"
    path.write_bytes(mirror.content)
    return path


def test_files_of_a_model_can_be_read_by_another_user(seeded_folder: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in seeded_folder.iterdir()} <= {0o644}


def test_a_wrong_hash_deletes_the_file_and_fails_in_one_line(
    mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(tmp_path / "model", "--url", mirror.url, "--sha256", "0" * 64) == 1
    assert "SHA-256" in one_line(capsys)
    assert not [name for name in leftovers(tmp_path) if "weights" in name]
    assert not (tmp_path / "model").exists()


def test_a_mirror_must_have_the_file_that_was_published(
    mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(tmp_path / "model", "--url", mirror.url) == 1
    assert "b8a52dc0" in one_line(capsys)
    assert not [name for name in leftovers(tmp_path) if ".pth" in name]


def test_a_model_that_was_there_survives_a_failed_fetch(
    mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model"
    assert fetch(model, "--weights", "seeded", "--no-onnx") == 0
    before = (model / "manifest.json").read_bytes()
    assert fetch(model, "--url", mirror.url) == 1
    assert (model / "manifest.json").read_bytes() == before
    assert read_classifier_folder(model).manifest.version == "seeded-0"


def test_an_interrupted_download_is_resumed_by_the_next_run(
    mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--url", mirror.url, "--sha256", digest(mirror.content), "--no-onnx")
    mirror.break_after = len(mirror.content) // 10
    assert fetch(tmp_path / "model", *options) == 1
    one_line(capsys)
    arrived = sum(path.stat().st_size for path in tmp_path.rglob("*.part"))
    assert arrived > 0
    mirror.break_after = None
    mirror.ranges.clear()
    assert fetch(tmp_path / "model", *options) == 0
    assert mirror.ranges == [f"bytes={arrived}-"]
    assert leftovers(tmp_path)[0] == "model"


def test_a_publisher_that_cannot_be_reached_fails_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(tmp_path / "model", "--url", "http://127.0.0.1:9/w.pth?signature=hidden") == 1
    line = one_line(capsys)
    assert "cannot be fetched" in line
    assert "hidden" not in line


@pytest.mark.parametrize(
    ("options", "status", "part"),
    [
        (("--architecture", "resnet151"), 1, "resnet152"),
        (("--weights", "IMAGENET1K_V9"), 1, "IMAGENET1K_V1"),
        (("--sha256", "beef"), 2, "--sha256"),
        (("--sha256", "0" * 64, "--weights", "seeded"), 2, "seeded weights come from no file"),
        (("--sha256", "0" * 64, "--framework", "keras"), 2, "needs --url"),
        (("--sha256", "0" * 64, "--architecture", "efficientnet_lite0"), 1, "has SHA-256 "),
        (("--seed", "-1"), 2, "--seed"),
        (("--url", "https://me:pass@127.0.0.1/w.pth"), 2, "user name"),
        (("--url", "file:///etc/passwd"), 1, "http"),
    ],
)
def test_a_wrong_option_is_answered_in_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    status: int,
    part: str,
) -> None:
    assert fetch(tmp_path / "model", *options) == status
    assert part in one_line(capsys)


def test_a_model_of_another_kind_is_no_place_for_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(*_: object) -> None:
        raise AssertionError("it is known before any work")

    monkeypatch.setattr(fetching, "_write", written)
    with new_model_folder(tmp_path / "faq", kind="faq", name="faq", version="1"):
        pass
    assert fetch(tmp_path / "faq", "--weights", "seeded") == 1
    assert "holds a model of another kind" in one_line(capsys)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"<html>not found</html>"])
def test_what_is_not_a_file_of_weights_is_refused(
    mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    mirror.content = content
    assert fetch(tmp_path / "model", "--url", mirror.url, "--sha256", digest(content)) == 1
    assert "weights" in one_line(capsys)


class Intruder:
    """Would run a command when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch intruded",)


def test_code_inside_a_file_of_weights_is_not_run(
    mirror: Mirror,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"classifier.1.weight": Intruder()}, tmp_path / "evil.pth")
    mirror.content = (tmp_path / "evil.pth").read_bytes()
    options = ("--url", mirror.url, "--sha256", digest(mirror.content))
    assert fetch(tmp_path / "model", *options) == 1
    assert "is not a file of torch weights" in one_line(capsys)
    assert not (tmp_path / "intruded").exists()


def test_the_weights_of_another_network_are_refused_with_what_is_missing(
    mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--url", mirror.url, "--sha256", digest(mirror.content))
    assert fetch(tmp_path / "model", *options, "--architecture", "resnet18") == 1
    assert re.search(r"another network: \d+ missing, \d+ unknown", one_line(capsys))


def test_a_second_fetch_of_the_same_model_leaves_it_alone_and_force_does_not(
    tmp_path: Path,
) -> None:
    model = tmp_path / "model"
    options = ("--weights", "seeded", "--no-onnx")
    times: list[int] = []
    for extra in ((), (), ("--force",), ("--seed", "1")):
        assert fetch(model, *options, *extra) == 0
        times.append((model / "model.safetensors").stat().st_mtime_ns)
    assert times[0] == times[1] < times[2] < times[3]
    assert read_classifier_folder(model).manifest.version == "seeded-1"


def test_a_network_for_onnxruntime_alone_is_half_as_large(
    seeded_folder: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    assert fetch(model, "--weights", "seeded", "--no-torch") == 0
    written = (model / "manifest.json").read_bytes()
    folder = read_classifier_folder(model)
    assert folder.libraries() == ("onnxruntime",)
    before = read_classifier_folder(seeded_folder).manifest.files
    assert folder.manifest.files == {
        name: digest for name, digest in before.items() if name != "model.safetensors"
    }
    assert fetch(model, "--weights", "seeded", "--no-torch") == 0
    assert (model / "manifest.json").read_bytes() == written
    assert fetch(model, "--weights", "seeded", "--no-onnx") == 0
    assert read_classifier_folder(model).libraries() == ("torch",)


def test_a_network_for_no_backend_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(tmp_path / "model", "--weights", "seeded", "--no-torch", "--no-onnx") != 0
    assert "leaves no backend" in one_line(capsys)
    assert not (tmp_path / "model").exists()


def test_a_damaged_model_is_fetched_again(tmp_path: Path) -> None:
    model = tmp_path / "model"
    assert fetch(model, "--weights", "seeded", "--no-onnx") == 0
    (model / "labels.json").write_bytes(b"[]")
    assert fetch(model, "--weights", "seeded", "--no-onnx") == 0
    assert len(read_classifier_folder(model).labels) == 1000


def test_the_same_seed_gives_the_same_files(seeded_folder: Path, tmp_path: Path) -> None:
    assert fetch(tmp_path / "model", "--weights", "seeded") == 0
    again = json.loads((tmp_path / "model" / "manifest.json").read_bytes())
    before = json.loads((seeded_folder / "manifest.json").read_bytes())
    assert again["files"] == before["files"]


def test_a_folder_that_is_no_model_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("chapter one")
    assert fetch(tmp_path, "--weights", "seeded", "--no-onnx") == 1
    one_line(capsys)
    assert (tmp_path / "thesis.txt").read_text() == "chapter one"


def test_the_graph_holds_no_path_of_the_machine_that_exported_it(seeded_folder: Path) -> None:
    graph = (seeded_folder / "model.onnx").read_bytes()
    assert sys.prefix.encode() not in graph
    assert b"stack_trace" not in graph


@pytest.mark.slow
def test_ctrl_c_during_a_download_is_clean_and_the_next_run_resumes(
    mirror: Mirror, tmp_path: Path
) -> None:
    mirror.seconds_a_piece = 0.2
    arguments = ["--model", str(tmp_path / "model"), "--architecture", NETWORK, "--no-onnx"]
    arguments += ["--url", mirror.url, "--sha256", digest(mirror.content)]
    process = subprocess.Popen(
        [sys.executable, "-m", "services.resnet", "fetch", *arguments], stderr=subprocess.PIPE
    )
    until = time.monotonic() + 60
    while not mirror.ranges and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert error.decode().strip() == "services.resnet fetch: interrupted"
    assert not (tmp_path / "model").exists()
    mirror.seconds_a_piece = 0.0
    assert run(["fetch", *arguments]) == 0
    assert mirror.ranges[-1] != ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("left_out", "limit"),
    # The second is enough for the golden answer, and not for the graph.
    [("--no-onnx", 100_000), ("--no-torch", 1_000_000)],
)
def test_a_full_disk_is_one_line_that_says_so(left_out: str, limit: int, tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: both fail in `write`."""
    options = ["--architecture", NETWORK, "--weights", "seeded", "--no-progress", left_out]
    done = subprocess.run(
        [sys.executable, "-m", "services.resnet", "fetch", "--model", tmp_path / "model", *options],
        capture_output=True, text=True, check=False, timeout=240,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("services.resnet fetch: ")
    assert "File too large" in line
    assert "cannot be exported" not in line
    assert list(tmp_path.iterdir()) == []
