"""The field's own clients work unmodified, with every call that they have for a server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from services.launch import ROOT
from tests.conformance.conftest import Served

FEWEST_CHECKS = {"tritonclient": 20, "kserve": 9}


@pytest.mark.slow
@pytest.mark.parametrize("client", FEWEST_CHECKS)
def test_every_check_passes(client: str, served: Served) -> None:
    python = ROOT / ".venvs" / client / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{client} is not here: make clients")
    outcomes = run_checks(python, client, served)

    assert {name: each for name, each in outcomes.items() if each != "ok"} == {}
    assert len(outcomes) >= FEWEST_CHECKS[client]


def run_checks(python: Path, client: str, served: Served) -> dict[str, str]:
    script = Path(__file__).with_name(f"{client}_checks.py")
    options = {
        "--address": served.address,
        "--model": served.name,
        "--input": served.input,
        "--row": str(served.row),
    }
    done = subprocess.run(
        [python, script, *(part for option in options.items() for part in option)],
        input=f"{served.server.key}\n",
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
