"""The program under the real Pulumi engine, with providers that keep what they are given.

Mocks do not show everything that the engine asks of a program: that outputs can be serialised, that
every child names its provider, that a second run changes nothing. These tests need the `pulumi`
program (https://www.pulumi.com/docs/install/), but no cloud, no credentials and no network.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.engine.project import ROOT, Project, make_project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

WEB_KEY = "rts_only-for-tests-and-long-enough-0123456789abcdef"
MATRIX = ROOT / "tests" / "infra" / "matrix"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    program = shutil.which("pulumi")
    if program is None:
        pytest.skip("the `pulumi` program is not installed")
    return make_project(tmp_path, program)


def bring_up(project: Project, stack: str) -> None:
    """Preview, up, and a second preview that must change nothing."""
    project.run("preview", "--stack", stack, "--policy-pack", "policies")
    project.run("up", "--yes", "--stack", stack, "--policy-pack", "policies", "--skip-preview")
    project.run("preview", "--stack", stack, "--expect-no-changes")


def take_down(project: Project, stack: str) -> None:
    project.run("state", "unprotect", "--all", "--yes", "--stack", stack)
    project.run("destroy", "--yes", "--stack", stack)
    assert "resources" not in project.state(stack)["deployment"]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_stack_comes_up_stays_the_same_and_goes_away(project: Project, stack: str) -> None:
    project.add_stack(stack, ROOT / f"Pulumi.{stack}.yaml")
    bring_up(project, stack)
    take_down(project, stack)


def test_two_stacks_share_what_one_would_hold(project: Project) -> None:
    project.add_stack("platform", MATRIX / "split-platform.yaml")
    project.add_stack(
        "services",
        MATRIX / "split-services.yaml",
        platform_stack="organization/realtime-scoring/platform",
    )
    bring_up(project, "platform")
    bring_up(project, "services")
    take_down(project, "services")
    take_down(project, "platform")


def test_the_services_stack_can_be_previewed_before_the_platform_is_there(
    project: Project,
) -> None:
    project.add_stack("platform", MATRIX / "split-platform.yaml")
    project.add_stack(
        "services",
        MATRIX / "split-services.yaml",
        platform_stack="organization/realtime-scoring/platform",
    )
    project.run("preview", "--stack", "services")


def test_no_secret_lies_in_the_state_in_plain(project: Project) -> None:
    project.add_stack("web", MATRIX / "web.yaml")
    project.run("config", "set", "--stack", "web", "--secret", "--path", "web.api_key", WEB_KEY)
    bring_up(project, "web")
    stored = json.dumps(project.state("web"))
    assert WEB_KEY not in stored
    assert "kubelogin" not in stored, "the kubeconfig is a secret"
    shown = project.run("stack", "output", "--json", "--stack", "web")
    assert WEB_KEY not in shown
    take_down(project, "web")


def test_a_change_of_the_cluster_does_not_replace_the_workloads(project: Project) -> None:
    project.add_stack("dev", ROOT / "Pulumi.dev.yaml")
    bring_up(project, "dev")
    project.run("config", "set", "--stack", "dev", "--path", "cluster.image_cleaner_hours", "72")
    shown = project.run("preview", "--stack", "dev")
    assert re.search(r"~ 1 to update", shown), shown
    assert "replace" not in shown
    take_down(project, "dev")


def test_wrong_settings_are_told_in_one_line_each_without_a_traceback(project: Project) -> None:
    project.add_stack("dev", ROOT / "Pulumi.dev.yaml", environment="prd", clustr={})
    shown = project.run("preview", "--stack", "dev", expect=None)
    assert "environment:" in shown
    assert "clustr:" in shown
    assert "did you mean cluster?" in shown
    assert "Traceback" not in shown
