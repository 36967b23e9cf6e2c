"""A model folder that is not as it was written is never served."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.launch import LaunchedService, launch

END_SECONDS = 60.0


def is_open(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    try:
        socket.create_connection((host, int(port)), 1).close()
    except OSError:
        return False
    return True


def never_listened(service: LaunchedService) -> bool:
    """Wait for the end of a service; whether it opened none of its ports until then."""
    until = time.monotonic() + END_SECONDS
    while service.process.poll() is None:
        assert time.monotonic() < until, "it is still there"
        if is_open(service.url) or is_open(service.metrics_url):
            return False
        time.sleep(0.02)
    return not is_open(service.url)


@pytest.fixture(
    params=[
        ("faq", "similar_data.npy"),
        ("faq", "classifier.json"),
        ("resnet", "model.onnx"),
        ("resnet", "labels.json"),
    ],
    ids=" ".join,
)
def tampered(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """The name of a service, and the file of its model in which one bit is another."""
    name, file = request.param
    folder = tmp_path / "model"
    shutil.copytree(request.getfixturevalue(f"{name}_model"), folder)
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / file).write_bytes(content)
    return name, folder / file


@pytest.fixture
def started(tampered: tuple[str, Path], tmp_path: Path) -> Iterator[LaunchedService]:
    """The service with that model, as its command starts it."""
    name, file = tampered
    service = launch(f"services.{name}", "--model", file.parent, log_folder=tmp_path)
    yield service
    service.stop()


def test_a_service_with_a_tampered_model_names_the_file_and_ends_without_having_listened(
    tampered: tuple[str, Path], started: LaunchedService
) -> None:
    name, file = tampered

    assert never_listened(started)
    assert started.process.returncode == 1
    (line,) = started.log.read_text().splitlines()
    assert line.startswith(f"services.{name} serve: {file}: ")
