"""checkov finds nothing, in any stack, that docs/suppressions.md does not accept."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.planning.manifests import kubernetes_objects
from infra.planning.stacks import ROOT
from tests.infra.plans import NAMES, recording_of
from tests.infra.static_scan.arm_template import DEFINITIONS, SCHEMA, template
from tests.infra.static_scan.suppressions import (
    PAGE,
    Finding,
    accepted,
    read_suppressions,
    superfluous,
)

CHECKOV = ROOT / ".venvs" / "checkov" / "bin" / "checkov"
SUPPRESSIONS = read_suppressions(PAGE.read_text(encoding="utf-8"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHECKOV.exists(), reason="`make checkov` has not been run"),
    pytest.mark.skipif(
        not DEFINITIONS.is_dir(), reason="Azure's type definitions (../shared/arm) are not here"
    ),
]

DIGEST = re.compile(r"<output of [^<>]+\.repoDigest>")
SOME_IMAGE = f"registry.invalid/image@sha256:{'0' * 64}"
AZURE_TYPE = re.compile(r"[^/]+(?:/[^./]+)+")
WEAK = "weak"
WEAK_TEMPLATE = {
    "$schema": SCHEMA,
    "contentVersion": "1.0.0.0",
    "resources": [
        {
            "type": "Microsoft.ContainerRegistry/registries",
            "apiVersion": "2024-11-01-preview",
            "name": "weak",
            "properties": {"adminUserEnabled": True},
        }
    ],
}
WEAK_POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "weak", "namespace": "weak"},
    "spec": {
        "containers": [{"name": "c", "image": "x", "securityContext": {"privileged": True}}],
    },
}


@dataclass(frozen=True)
class Scan:
    """One run over every stack, and over a file with known faults.

    Attributes:
        findings: those in stacks, and those in the file with faults.
        seen: stacks with at least one check passed or failed, by framework.
    """

    findings: frozenset[Finding]
    seen: dict[str, set[str]]
    unread: list[str]


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    folder = tmp_path_factory.mktemp("scan")
    for stack in NAMES:
        resources = recording_of(stack).resources
        _write(folder, stack, template(resources), kubernetes_objects(resources))
    _write(folder, WEAK, WEAK_TEMPLATE, [WEAK_POD])
    return _checkov(folder)


def test_every_stack_was_read(scan: Scan) -> None:
    azure = {name for name in NAMES if template(recording_of(name).resources)["resources"]}
    objects = {name for name in NAMES if kubernetes_objects(recording_of(name).resources)}
    assert {"dev", "prod"} <= azure & objects
    assert scan.seen == {"arm": azure | {WEAK}, "kubernetes": objects | {WEAK}}
    assert scan.unread == []


def test_every_finding_is_accepted_with_a_reason(scan: Scan) -> None:
    ours = {finding for finding in scan.findings if finding.stack != WEAK}
    assert sorted(map(str, ours - accepted(ours, SUPPRESSIONS))) == []


def test_every_suppression_is_still_needed(scan: Scan) -> None:
    assert superfluous(scan.findings, SUPPRESSIONS) == []


@pytest.mark.parametrize(
    ("check", "resource"),
    [("CKV_AZURE_137", "Microsoft.ContainerRegistry/registries"), ("CKV_K8S_16", "Pod.weak.weak")],
)
def test_a_known_fault_is_found(scan: Scan, check: str, resource: str) -> None:
    assert Finding(check, resource, WEAK) in scan.findings


def _write(
    folder: Path, stack: str, arm: dict[str, Any], objects: list[Any] | list[dict[str, Any]]
) -> None:
    (folder / f"{stack}.json").write_text(json.dumps(arm), encoding="utf-8")
    # An image that the stack builds has its digest once it is built.
    text = DIGEST.sub(SOME_IMAGE, yaml.safe_dump_all(objects, width=1000))
    (folder / f"{stack}.yaml").write_text(text, encoding="utf-8")


def _checkov(folder: Path) -> Scan:
    """All files at once: it takes longer to start than to look."""
    arguments = ("--framework", "arm", "kubernetes", "--skip-download", "--compact", "-o", "json")
    run = subprocess.run(
        [str(CHECKOV), "--directory", str(folder), *arguments],
        cwd=folder, capture_output=True, text=True, timeout=240, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LOG_LEVEL": "ERROR"},
    )  # fmt: skip
    assert run.returncode == 1, run.stderr  # what it exits with when there are findings
    reports: list[dict[str, Any]] = json.loads(run.stdout)
    seen = {
        report["check_type"]: {
            _stack(record)
            for outcome in ("passed_checks", "failed_checks")
            for record in report["results"][outcome]
        }
        for report in reports
    }
    findings = frozenset(
        Finding(record["check_id"], _resource(record["resource"]), _stack(record))
        for report in reports
        for record in report["results"]["failed_checks"]
    )
    unread = [file for report in reports for file in report["results"].get("parsing_errors", [])]
    return Scan(findings, seen, unread)


def _stack(record: dict[str, Any]) -> str:
    return Path(record["file_path"]).stem


def _resource(name: str) -> str:
    """Without its name, which holds the stack's: `Microsoft.KeyVault/vaults.kv-prod`."""
    matched = AZURE_TYPE.match(name)
    return matched[0] if matched else name
