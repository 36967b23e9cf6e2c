"""Stacks under the real Pulumi engine, from nothing to nothing, with providers that agree.

Mocks do not show everything that the engine asks of a program: that outputs can be serialised, that
every child names its provider, that a second run changes nothing. These tests need the `pulumi`
program (https://www.pulumi.com/docs/install/), but no cloud, no credentials and no network.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.project import MATRIX, ROOT, SECRETS, Project

KUBECONFIG = ("kubelogin", "https://fake.invalid:443")
"""Nothing else has these in it."""
PUSHER = "66666666-6666-6666-6666-666666666666"
PLATFORM = "organization/realtime-scoring/platform"


def bring_up(project: Project, stack: str) -> None:
    """Up, with a preview and the policies, and a second preview that must change nothing."""
    project.run("up", "--yes", "--stack", stack, "--policy-pack", "policies")
    project.run("preview", "--stack", stack, "--policy-pack", "policies", "--expect-no-changes")


def take_down(project: Project, stack: str) -> None:
    project.run("destroy", "--yes", "--stack", stack)
    assert "resources" not in project.state(stack)["deployment"]


def assert_secrets_are_hidden(project: Project, stack: str) -> None:
    """In what was stored and in what was printed, the stack's outputs included."""
    project.run("stack", "output", "--json", "--stack", stack)
    project.run("stack", "--show-urns", "--stack", stack)
    for secret in (*SECRETS.values(), *KUBECONFIG):
        assert secret not in project.stored()
        assert secret not in "\n".join(project.printed)


@pytest.mark.parametrize(
    "stack", [ROOT / "Pulumi.dev.yaml", MATRIX / "web.yaml", MATRIX / "docker-hub.yaml"]
)
def test_a_stack_comes_up_stays_the_same_tells_no_secret_and_goes_away(
    project: Project, stack: Path
) -> None:
    project.add_stack("one", stack)
    bring_up(project, "one")
    assert_secrets_are_hidden(project, "one")
    take_down(project, "one")


def test_a_protected_and_locked_stack_goes_away_in_two_decisions(project: Project) -> None:
    """As docs/operations.md has it: the locks go by themselves, before what they would keep."""
    project.add_stack("prod", ROOT / "Pulumi.prod.yaml")
    bring_up(project, "prod")
    assert_secrets_are_hidden(project, "prod")
    refused = project.run("destroy", "--yes", "--stack", "prod", expect=None)
    assert "is protected" in refused or "cannot be deleted" in refused
    assert project.state("prod")["deployment"]["resources"]
    assert project.locks(), "the locks are on"
    project.run("state", "unprotect", "--all", "--yes", "--stack", "prod")
    take_down(project, "prod")
    assert project.locks() == []


def test_access_is_taken_away_in_three_steps(project: Project) -> None:
    """As docs/operations.md has it, of a resource that is locked."""
    stack = "locked"
    project.add_stack(stack, MATRIX / "locked-down.yaml", access={"image_pushers": [PUSHER]})
    up = ("up", "--yes", "--skip-preview", "--stack", stack)
    project.run(*up)

    def without_the_pusher(locks: bool) -> tuple[str, str]:
        return project.changed(stack, {"access.image_pushers": [], "security.locks": locks})

    refused = project.run(*up, *without_the_pusher(True), expect=None)
    assert "ScopeLocked" in refused
    project.run(*up, *project.changed(stack, {"security.locks": False}))
    assert project.locks() == []
    project.run(*up, *without_the_pusher(False))
    project.run(*up, *without_the_pusher(True))
    assert project.locks()


def test_the_local_stack_needs_docker_alone(project: Project) -> None:
    project.add_stack("local", ROOT / "Pulumi.local.yaml")
    bring_up(project, "local")
    types = {one["type"] for one in project.state("local")["deployment"]["resources"]}
    assert not [each for each in types if each.startswith(("azure-native", "kubernetes"))]
    take_down(project, "local")


def test_two_stacks_share_what_one_would_hold(project: Project) -> None:
    project.add_stack("platform", MATRIX / "split-platform.yaml")
    project.add_stack("services", MATRIX / "split-services.yaml", platform_stack=PLATFORM)
    # A pull request that adds both is previewed when neither is there.
    project.run("preview", "--stack", "services", "--policy-pack", "policies")
    too_early = project.run("up", "--yes", "--skip-preview", "--stack", "services", expect=None)
    assert f"the stack {PLATFORM} has no output" in too_early
    assert "Traceback" not in too_early
    bring_up(project, "platform")
    bring_up(project, "services")
    assert_secrets_are_hidden(project, "services")
    take_down(project, "services")
    take_down(project, "platform")
