"""`package` copies a network whole, or says in one line why it could not."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from services.resnet.__main__ import run
from tests.services.resnet.frameworks.small_network import Parts


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    """A SavedModel, which is copied before any library reads it."""
    given = tmp_path / "given"
    variables = given / "network" / "variables"
    variables.mkdir(parents=True)
    (given / "network" / "saved_model.pb").write_bytes(b"graph")
    (variables / "variables.index").write_bytes(b"index")
    (variables / "variables.data-00000-of-00001").write_bytes(bytes(200_000))
    (given / "labels.txt").write_text("a\nb\n")
    (given / "preprocessing.json").write_text(
        '{"resize": 32, "crop": 32, "interpolation": "bilinear", "mean": [0, 0, 0],'
        ' "standard_deviation": [1, 1, 1]}'
    )
    return Parts(given / "network", given / "labels.txt", given / "preprocessing.json")


def test_a_full_disk_is_one_line_and_leaves_nothing(parts: Parts, tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: both fail in `write`."""
    arguments = parts.arguments(tmp_path / "model")
    done = subprocess.run(
        [sys.executable, "-m", "services.resnet", *arguments],
        capture_output=True, text=True, check=False, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.endswith("variables.data-00000-of-00001: cannot be copied: File too large")
    assert [path.name for path in tmp_path.iterdir()] == ["given"]


def test_what_it_is_made_of_is_not_replaced_by_the_model(
    parts: Parts, capsys: pytest.CaptureFixture[str]
) -> None:
    given = parts.network.parent
    link = given.parent / "link"
    link.symlink_to(given)
    before = sorted(given.rglob("*"))
    for model in (given, link, parts.network, parts.network / "model", parts.labels):
        assert run(parts.arguments(model)) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert "choose another folder" in line
        assert sorted(given.rglob("*")) == before
