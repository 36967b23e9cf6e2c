"""The programs that `pulumi up` starts: there, old, broken, hanging, missing."""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path

import pytest

from infra.doctor.checks import tools
from infra.doctor.checks.tools import look_at_tools
from infra.doctor.findings import Finding, Verdict
from infra.doctor.needs import needs_of
from tests.infra.plans import recording_of, settings_of

LIBRARY = importlib.metadata.version("pulumi")
ALL = {
    "pulumi": f"echo v{LIBRARY}",
    "docker": 'case "$1" in version) echo 27.1.1;; *) echo github.com/docker/buildx v0.16.1 x;; esac',
    "az": """echo '{"azure-cli": "2.64.0", "azure-cli-core": "2.64.0"}'""",
    "kubelogin": "echo 'git hash: v0.1.4/abc'",
    "kubectl": """echo '{"clientVersion": {"gitVersion": "v1.32.4"}}'""",
}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are looked for."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for name, script in ALL.items():
        install(tmp_path, name, script)
    return tmp_path


def install(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


def look(stack: str = "dev") -> dict[str, Finding]:
    settings = settings_of(stack)
    found = list(look_at_tools(settings, needs_of(settings, recording_of(stack))))
    return {finding.subject: finding for finding in found}


def test_all_that_a_stack_starts_is_looked_at(path: Path) -> None:
    found = look()
    assert {name: f.message for name, f in found.items() if name != "python"} == {
        "pulumi": LIBRARY,
        "docker": "27.1.1",
        "docker buildx": "0.16.1",
        "az": "2.64.0",
        "kubelogin": "0.1.4",
        "kubectl": "1.32.4",
    }
    assert {f.verdict for f in found.values()} == {Verdict.OK}


def test_a_stack_asks_for_no_more_than_it_starts(path: Path) -> None:
    assert set(look("local")) == {"python", "pulumi", "docker", "docker buildx"}
    assert "docker" not in look("prebuilt-images")
    assert "kubelogin" not in look("split-platform")


def test_what_is_missing_fails_but_kubectl_only_warns(path: Path) -> None:
    for name in ALL:
        (path / name).unlink()
    found = look()
    assert {name for name, f in found.items() if f.verdict is Verdict.FAILED} == {
        "pulumi", "docker", "docker buildx", "az", "kubelogin",
    }  # fmt: skip
    assert found["kubectl"].verdict is Verdict.WARNING
    assert all(f.remedy for name, f in found.items() if name != "python")


def test_an_engine_that_does_not_run_and_an_old_pulumi_are_told(path: Path) -> None:
    install(path, "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    install(path, "pulumi", "echo v3.1.0")
    found = look()
    assert found["docker"].message == "is installed, but its engine does not answer"
    assert found["pulumi"].verdict is Verdict.WARNING
    assert found["pulumi"].message == f"3.1.0 is older than the program's library {LIBRARY}"


def test_a_program_that_hangs_or_prints_something_else_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "SECONDS", 0.3)
    install(path, "az", "exec sleep 5")
    install(path, "kubectl", "echo no json")
    found = look()
    assert found["az"].verdict is Verdict.UNKNOWN
    assert found["kubectl"].verdict is Verdict.WARNING
    assert os.environ["PATH"] == str(path)
