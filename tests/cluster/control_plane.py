"""The control plane of ``../shared/engine/cluster``: one for all tests of a session."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from services.launch import ROOT
from tests.cluster.api import Api, Refused, wait_for

ENGINE = Path(os.environ.get("SCORING_SHARED", ROOT.parent / "shared")) / "engine"
SCRIPT = ENGINE / "cluster"
PORTS = range(21_443, 31_443, 10)
"""Below the ports that the system gives to outgoing connections."""
PORTS_OF_ONE = 3
ATTEMPTS = 3
TOKEN = "admin-token"  # the disposable cluster's only user


@contextmanager
def control_plane(folder: Path) -> Iterator[Api]:
    """A control plane without nodes, which ends with the block."""
    port = _start(folder)
    try:
        api = Api(f"https://127.0.0.1:{port}", TOKEN)
        wait_for(lambda: _serves_all(api), 30, "a custom resource definition is not served")
        yield api
    finally:
        subprocess.run([SCRIPT, "down", folder], check=True, timeout=60, capture_output=True)


def _start(folder: Path) -> int:
    """Start it, on other ports where somebody else was quicker; the API server's port."""
    for _ in range(ATTEMPTS):
        port = _free_port()
        command = [SCRIPT, "up", folder, str(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if not done.returncode:
            return port
        subprocess.run([SCRIPT, "down", folder], check=True, timeout=60, capture_output=True)
    raise OSError(done.stderr)


def _serves_all(api: Api) -> bool:
    """Whether every definition is served, and the defaults of every namespace are there."""
    try:
        definitions = api.list("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
        api.get("/api/v1/namespaces/default/serviceaccounts/default")
    except (httpx.HTTPError, Refused):
        return False
    return all(
        any(
            c["type"] == "Established" and c["status"] == "True"
            for c in each["status"]["conditions"]
        )
        for each in definitions
    )


def _free_port() -> int:
    for port in PORTS:
        if all(_is_free(port + place) for place in range(PORTS_OF_ONE)):
            return port
    raise OSError("no three ports in a row are free")


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
