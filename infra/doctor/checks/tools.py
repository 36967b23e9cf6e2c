"""The programs that `pulumi up` starts, and their versions."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from infra.doctor.findings import Finding, failed, ok, unknown, warning
from infra.doctor.needs import Needs
from infra.settings import Settings

OLDEST_PYTHON = (3, 11)
SECONDS = 20
_VERSION = re.compile(r"\d+\.\d+(\.\d+)?")


@dataclass(frozen=True)
class Tool:
    """A program.

    Attributes:
        name: of its executable.
        version: arguments that make it print its version, without asking any server.
        install: what to do where it is missing.
        read: finds the version in what it printed.
    """

    name: str
    version: tuple[str, ...]
    install: str
    read: Callable[[str], str | None]


def _first_version(text: str) -> str | None:
    found = _VERSION.search(text)
    return found[0] if found else None


def _at(*path: str) -> Callable[[str], str | None]:
    def read(text: str) -> str | None:
        value: Any = json.loads(text)
        for part in path:
            value = value[part]
        return str(value).lstrip("v")

    return read


PULUMI = Tool(
    "pulumi", ("version",), "https://www.pulumi.com/docs/iac/download-install", _first_version
)
DOCKER = Tool(
    "docker",
    ("version", "--format", "{{.Server.Version}}"),
    "https://docs.docker.com/engine/install",
    _first_version,
)
BUILDX = Tool(
    "docker", ("buildx", "version"), "https://github.com/docker/buildx#installing", _first_version
)
AZ = Tool(
    "az",
    ("version", "--output", "json"),
    "https://learn.microsoft.com/cli/azure/install-azure-cli",
    _at("azure-cli"),
)
KUBELOGIN = Tool("kubelogin", ("--version",), "az aks install-cli", _first_version)
KUBECTL = Tool(
    "kubectl",
    ("version", "--client", "--output", "json"),
    "az aks install-cli",
    _at("clientVersion", "gitVersion"),
)


def look_at_tools(settings: Settings, needs: Needs) -> Iterator[Finding]:
    """Python, Pulumi, and what the stack's layers start."""
    yield _python()
    yield from _pulumi()
    if settings.is_local or needs.builds_images:
        yield _needed(DOCKER)
        yield _needed(BUILDX, subject="docker buildx")
    if not settings.is_local:
        if settings.access.sign_in == "azurecli":
            yield _needed(AZ)
        if settings.has_services:
            yield _needed(KUBELOGIN)
        yield _useful(KUBECTL, "nobody can look into the cluster from here")


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        return failed("python", version, "python3.11 -m venv .venv && make setup-stack")
    return ok("python", version)


def _pulumi() -> Iterator[Finding]:
    found = _needed(PULUMI)
    yield found
    library = importlib.metadata.version("pulumi")
    version = _VERSION.search(found.message)
    if found.remedy is None and version and _numbers(version[0]) < _numbers(library):
        yield warning(
            "pulumi", f"{version[0]} is older than the program's library {library}", PULUMI.install
        )


def _needed(tool: Tool, subject: str | None = None) -> Finding:
    name = subject or tool.name
    if shutil.which(tool.name) is None:
        return failed(name, "is not installed", tool.install)
    try:
        version = _version(tool)
    except subprocess.TimeoutExpired:
        return unknown(name, f"did not answer within {SECONDS} s", tool.install)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return failed(name, f"does not start ({type(error).__name__})", tool.install)
    if version is None and tool is DOCKER:
        return failed(name, "is installed, but its engine does not answer", "docker info")
    if version is None:
        return failed(name, f"`{tool.name} {' '.join(tool.version)}` failed", tool.install)
    return ok(name, version)


def _useful(tool: Tool, without: str) -> Finding:
    found = _needed(tool)
    return found if found.remedy is None else warning(tool.name, without, tool.install)


def _version(tool: Tool) -> str | None:
    done = subprocess.run(
        [tool.name, *tool.version],
        capture_output=True, text=True, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return tool.read(done.stdout or done.stderr) if done.returncode == 0 else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
