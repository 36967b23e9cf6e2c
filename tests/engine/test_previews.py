"""What a preview shows before anything is there: of every settings file, and of wrong ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.project import MATRIX, ROOT, Project

BROUGHT_UP_ELSEWHERE = {"docker-hub", "split-platform", "split-services", "web"}
FILES = [path for path in sorted(MATRIX.glob("*.yaml")) if path.stem not in BROUGHT_UP_ELSEWHERE]


@pytest.mark.parametrize("settings_file", FILES, ids=lambda path: path.stem)
def test_every_settings_file_is_previewed_and_within_the_policies(
    previewed: Project, settings_file: Path
) -> None:
    previewed.add_stack(settings_file.stem, settings_file)
    shown = previewed.run("preview", "--stack", settings_file.stem, "--policy-pack", "policies")
    assert "realtime-scoring@v1.0.0" in shown, "the policies have run"
    assert "violation" not in shown.lower()


def test_two_previews_are_the_same(previewed: Project) -> None:
    previewed.add_stack("same", ROOT / "Pulumi.prod.yaml")

    def planned() -> dict[str, Any]:
        steps = previewed.read("preview", "--json", "--stack", "same")["steps"]
        return {step["urn"]: step["newState"].get("inputs") for step in steps}

    first = planned()
    assert len(first) > 100
    assert planned() == first


def test_policies_stop_a_stack_whose_cluster_is_not_there_yet(project: Project) -> None:
    """The engine asks no Kubernetes provider then, and stack policies see objects without content.

    They must say nothing about those; all others stay as strict as ever.
    """
    project.add_stack("dev", ROOT / "Pulumi.dev.yaml")
    project.replace(
        "infra/azure/cluster.py", "disable_local_accounts=True", "disable_local_accounts=False"
    )
    shown = project.run("preview", "--stack", "dev", "--policy-pack", "policies", expect=None)
    reported = {
        line.split("]")[2].split()[0] for line in shown.splitlines() if "[mandatory]" in line
    }
    assert reported == {"aks-local-accounts-disabled"}, shown


def test_wrong_settings_are_told_in_one_line_each_without_a_traceback(previewed: Project) -> None:
    previewed.add_stack(
        "wrong",
        ROOT / "Pulumi.dev.yaml",
        environment="prd",
        clustr={},
        subscription_id="mine",
        api_keys=[{"name": "a", "scopes": ["faq"]}],
        gateway={"replicas": "many", "tls": {"issuer": "acme"}},
        network={"node_cidr": "10.0.0.0/33"},
    )
    shown = previewed.run("preview", "--stack", "wrong", expect=None)
    for mistake in (
        "api_keys[0].sha256: is missing",
        "clustr: is no setting; allowed: did you mean cluster?",
        'environment: "prd" is wrong',
        'gateway.replicas: "many" is wrong',
        "gateway.tls.email: is missing",
        "network.node_cidr: is no setting",
        'subscription_id: "mine" is wrong',
    ):
        assert [line for line in shown.splitlines() if line.strip().startswith(mistake)], shown
    assert "Traceback" not in shown
