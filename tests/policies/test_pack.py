"""The pack as the engine runs it: a process that answers on a port."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import yaml
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from policies.pack import RULES

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = "azure-native:containerservice:ManagedCluster"
URN = f"urn:pulumi:prod::realtime-scoring::{CLUSTER}::cluster"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes a text that is not known during a preview."""


@pytest.fixture(scope="module")
def pack() -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    """Started as the engine starts it, from another directory."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pulumi.policy", "127.0.0.1:0", str(ROOT / "policies")],
        stdout=subprocess.PIPE, cwd=ROOT / "docs", env={**os.environ, "PYTHONSAFEPATH": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    port = int(process.stdout.readline())
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield analyzer_pb2_grpc.AnalyzerStub(channel)
    process.kill()
    process.wait()
    process.stdout.close()


def analyze(pack: analyzer_pb2_grpc.AnalyzerStub, properties: dict[str, object]) -> set[str]:
    request = analyzer_pb2.AnalyzeRequest(type=CLUSTER, urn=URN, name="cluster")
    json_format.ParseDict(properties, request.properties)
    return {diagnostic.policyName for diagnostic in pack.Analyze(request).diagnostics}


def test_it_tells_the_engine_every_policy(pack: analyzer_pb2_grpc.AnalyzerStub) -> None:
    info = pack.GetAnalyzerInfo(empty_pb2.Empty())
    assert info.name == "realtime-scoring"
    assert {policy.name for policy in info.policies} == {rule.name for rule in RULES}


def test_it_reports_a_resource(pack: analyzer_pb2_grpc.AnalyzerStub) -> None:
    assert "aks-local-accounts-disabled" in analyze(pack, {"disableLocalAccounts": False})
    assert "aks-local-accounts-disabled" not in analyze(pack, {"disableLocalAccounts": True})


def test_an_unknown_value_switches_no_policy_off(pack: analyzer_pb2_grpc.AnalyzerStub) -> None:
    pool = {"mode": "System", "vmSize": UNKNOWN, "name": "system", "osDiskType": "Managed"}
    found = analyze(pack, {"agentPoolProfiles": [pool], "disableLocalAccounts": UNKNOWN})
    assert "aks-local-accounts-disabled" not in found
    assert "aks-pool-ephemeral-disk" in found


def test_it_reports_across_resources(pack: analyzer_pb2_grpc.AnalyzerStub) -> None:
    request = analyzer_pb2.AnalyzeStackRequest()
    request.resources.add(type=CLUSTER, urn=URN, name="cluster")
    found = {
        diagnostic.policyName: diagnostic for diagnostic in pack.AnalyzeStack(request).diagnostics
    }
    assert found["azure-resource-diagnosed"].urn == URN


def test_the_project_file_uses_the_repositorys_environment() -> None:
    project = yaml.safe_load((ROOT / "policies" / "PulumiPolicy.yaml").read_text(encoding="utf-8"))
    runtime = project["runtime"]
    assert runtime["name"] == "python"
    stack = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    ours = (ROOT / "policies" / runtime["options"]["virtualenv"]).resolve()
    assert ours == (ROOT / stack["runtime"]["options"]["virtualenv"]).resolve()
    assert json.dumps(project)
