"""The load tool, through TLS and the gateway, against the images: everything is answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Front
from tests.gateway.conftest import HOST


@pytest.mark.parametrize("service", ["faq", "resnet"])
def test_a_load_that_they_bear_is_answered(front: Front, service: str, tmp_path: Path) -> None:
    figures = tmp_path / "load.json"
    done = front.run(
        "-m", "client", "load", "--service", service, "--permit-host", HOST,
        "--url", f"{front.url}/{service}", "--seconds", "3", "--rates", "100",
        "--saturation", "5", "--arrivals", "constant", "--json", figures,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (step,) = json.loads(figures.read_text())["steps"]
    assert step["offered"] == 15
    assert (step["answers"], step["failures"]) == ({}, {})


def test_an_overload_is_refused_and_not_lost(front: Front, tmp_path: Path) -> None:
    """Far more than half a service can do: answers or refusals, and no broken connection."""
    figures = tmp_path / "load.json"
    done = front.run(
        "-m", "client", "load", "--service", "resnet", "--permit-host", HOST,
        "--url", f"{front.url}/resnet", "--seconds", "4", "--rates", "100",
        "--saturation", "150", "--timeout", "60", "--json", figures,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (step,) = json.loads(figures.read_text())["steps"]
    assert step["failures"] == {}
    assert set(step["answers"]) <= {"503", "504"}
    assert sum(step["answers"].values()) > 0
    assert step["latency"] is not None, "some are answered"
