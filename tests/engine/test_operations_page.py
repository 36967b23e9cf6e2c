"""docs/operations.md, followed under the real Pulumi engine: its blocks run as they stand there.

``az`` is not asked: a script in its place prints what the page says that it prints.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.docs.pages import blocks
from tests.engine.project import MATRIX, ROOT, Project

AZ = """\
#!/bin/sh
case "$*" in
  "account show --query id -o tsv") echo bbbbbbbb-1111-4111-8111-111111111111 ;;
  "account show --query tenantId -o tsv") echo aaaaaaaa-2222-4222-8222-222222222222 ;;
  "keyvault recover --name NAME") echo "[]" > taken.json ;;
  "keyvault show --name NAME --query id -o tsv") echo /subscriptions/s/vaults/NAME ;;
  "acr login --name fake") ;;
  *) echo "az $*: not on the page" >&2; exit 2 ;;
esac
"""
SHELL = [block.text for block in blocks("sh", pages=[ROOT / "docs" / "operations.md"])]
VAULT = "vault-vault"
SECRETS = ("scoring-api-keys", "scoring-web-key", "scoring-web-sign-in")
PAGE = MATRIX / "web.yaml"
KEPT_IN_A_VAULT = {"security": {"key_vault": {"enabled": True}}}
FORMER = f"fake.azurecr.io/scoring-faq@sha256:{'cd' * 32}"


@pytest.fixture
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tools")
    (folder / "az").write_text(AZ)
    (folder / "az").chmod(0o755)
    return folder


def test_the_first_deployment_comes_up_as_the_page_says(project: Project, tools: Path) -> None:
    shutil.copy(ROOT / "Pulumi.dev.yaml", project.folder)
    project.run("stack", "init", "dev")
    *steps, first_request = SHELL[: 1 + next(n for n, text in enumerate(SHELL) if "curl" in text)]
    assert len(steps) == 5
    for step in steps:
        project.shell(step.replace("SHA256", "5" * 64), tools)
    assert project.read("config", "get", "--path", "api_keys[0]", "--json")["objectValue"] == {
        "name": "me", "sha256": "5" * 64, "scopes": ["faq", "resnet"],
    }  # fmt: skip
    project.run("preview", "--policy-pack", "policies", "--expect-no-changes")
    asked = project.shell(first_request.replace("curl", "echo").replace("$KEY", "key"), tools)
    assert asked.startswith("https://scoring-dev.example.org/faq/v1/match -H X-API-Key: key")


def test_a_vault_that_was_recovered_is_the_stack_s_again(project: Project, tools: Path) -> None:
    (recovery,) = (text for text in SHELL if "keyvault recover" in text)
    project.add_stack("prod", PAGE, **KEPT_IN_A_VAULT)
    project.run("up", "--yes", "--skip-preview")
    as_it_was = {VAULT: project.inputs("prod", VAULT)}
    project.run("destroy", "--yes", "--skip-preview")

    project.taken(VAULT)
    assert "ConflictError" in project.run("up", "--yes", "--skip-preview", expect=None)
    project.drift(as_it_was)
    project.shell(recovery, tools)
    project.taken(*(f"api-keys-{secret}" for secret in SECRETS))
    assert "ConflictError" in project.run("up", "--yes", "--skip-preview", expect=None)
    (import_secret,) = (text for text in SHELL if "keyvault:Secret" in text)
    for secret in SECRETS:
        project.shell(import_secret.replace("SECRET", secret), tools)
    changes = project.run("up", "--yes", "--skip-preview", "--diff")
    assert "replaced" not in changes
    assert project.inputs("prod", VAULT) == as_it_was[VAULT]
    project.run("preview", "--expect-no-changes")


def test_a_secret_that_is_no_longer_needed_stops_no_deployment(project: Project) -> None:
    project.add_stack("prod", PAGE, **KEPT_IN_A_VAULT)
    project.run("up", "--yes", "--skip-preview")
    assert "scoring-web-key" in json.dumps(project.state("prod"))
    project.run("config", "rm", "web")
    project.run("up", "--yes", "--skip-preview")
    assert "scoring-web-key" not in json.dumps(project.state("prod"))


def test_an_image_that_ran_before_runs_again(project: Project, tools: Path) -> None:
    project.add_stack("prod", PAGE)
    project.run("up", "--yes", "--skip-preview")
    (going_back,) = (text for text in SHELL if "use-running-images" in text)
    (tools / "kubectl").write_text("#!/bin/sh\n")
    (tools / "kubectl").chmod(0o755)
    shutil.copytree(ROOT / ".github", project.folder / ".github")
    digest = "REGISTRY/REPOSITORY@sha256:DIGEST"
    assert digest in going_back
    project.shell(going_back.replace(digest, FORMER), tools)
    images = {
        name: project.inputs("prod", f"workloads-{name}-deployment")["spec"]["template"]["spec"][
            "containers"
        ][0]["image"]
        for name in ("faq", "resnet", "web")
    }
    other = "fake.azurecr.io/fake@sha256:" + "ab" * 32
    assert images == {"faq": FORMER, "resnet": other, "web": other}
