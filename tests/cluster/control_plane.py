"""The control plane of ``../shared/engine/cluster``: one for all tests of a session."""

from __future__ import annotations

import os
import shlex
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from services.launch import PORTS as PORTS_OF_SERVICES
from services.launch import ROOT
from tests.cleanup import StartFailed, ended_by
from tests.cluster.api import Api, Refused
from tests.waiting import wait_for

ENGINE = Path(os.environ.get("SCORING_SHARED", ROOT.parent / "shared")) / "engine"
SCRIPT = ENGINE / "cluster"
PORTS_OF_ONE = 3
PORTS = range(21_443, PORTS_OF_SERVICES.start - PORTS_OF_ONE, 10)
"""Below the ports of services that are started meanwhile, as those are below what the system hands out."""
ATTEMPTS = 3
TOKEN = "admin-token"  # the disposable cluster's only user


@contextmanager
def control_plane(folder: Path) -> Iterator[Api]:
    """A control plane without nodes, which ends with the block."""
    with ExitStack() as stack:
        api = Api(f"https://127.0.0.1:{_start(folder, stack)}", TOKEN)
        wait_for(lambda: _serves_all(api), 30, "a custom resource definition is not served")
        yield api


def _start(folder: Path, stack: ExitStack) -> int:
    """Start it, on other ports where somebody else was quicker; the API server's port."""
    for attempt in range(1, ATTEMPTS + 1):
        port = _free_port()
        start = shlex.join(map(str, (SCRIPT, "up", folder, port)))
        try:
            stack.enter_context(ended_by(f'"{SCRIPT}" down "{folder}"', start=start))
        except StartFailed:
            if attempt == ATTEMPTS:
                raise
        else:
            return port
    raise AssertionError("unreachable")


def _serves_all(api: Api) -> bool:
    """Whether every definition is served, and the defaults of every namespace are there."""
    try:
        definitions = api.list("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
        api.get("/api/v1/namespaces/default/serviceaccounts/default")
    except (httpx.HTTPError, Refused):
        return False
    return all(_is_served(each) for each in definitions)


def _is_served(definition: dict[str, Any]) -> bool:
    """As its conditions say; a definition that was just taken has ``null`` for them."""
    conditions = (definition.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


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
