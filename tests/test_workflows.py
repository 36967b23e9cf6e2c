"""The workflows that users get: pinned, with the least rights, closed to forks."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".github" / "workflows"
BUILT = ROOT / ".venvs" / "actionlint"
FILES = sorted(FOLDER.glob("*.yml"))

every_workflow = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def read(path: Path) -> dict[Any, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs(path: Path) -> dict[str, Any]:
    return read(path)["jobs"]


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in jobs(path).values():
        yield from job["steps"]


def test_there_are_tests_a_preview_and_a_deployment() -> None:
    assert {path.stem for path in FILES} == {"test", "preview", "deploy"}


@every_workflow
def test_every_action_is_pinned_by_commit(path: Path) -> None:
    actions = [step["uses"] for step in steps(path) if "uses" in step]
    assert actions
    assert all(re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action) for action in actions)


@every_workflow
def test_no_workflow_runs_a_forks_code_with_this_repositorys_rights(path: Path) -> None:
    triggers = read(path)[True]  # YAML 1.1 reads the key `on` as true
    assert "pull_request_target" not in triggers
    assert "workflow_run" not in triggers


@every_workflow
def test_rights_are_given_job_by_job_and_only_to_read_by_default(path: Path) -> None:
    assert read(path)["permissions"] in ({}, {"contents": "read"})
    for job in jobs(path).values():
        assert job.get("permissions", {}).get("contents", "read") == "read"


@every_workflow
def test_nothing_that_a_stranger_writes_reaches_a_shell(path: Path) -> None:
    scripts = [step["run"] for step in steps(path) if "run" in step]
    assert not [script for script in scripts if "${{" in script]


@every_workflow
def test_a_checkout_leaves_no_token_behind(path: Path) -> None:
    checkouts = [s for s in steps(path) if s.get("uses", "").startswith("actions/checkout@")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@every_workflow
def test_no_workflow_holds_a_secret(path: Path) -> None:
    assert "secrets." not in path.read_text(encoding="utf-8")


@every_workflow
def test_every_job_ends(path: Path) -> None:
    assert all(0 < job["timeout-minutes"] <= 90 for job in jobs(path).values())


def test_a_preview_of_a_fork_gets_no_token() -> None:
    preview = jobs(FOLDER / "preview.yml")
    assert "!github.event.pull_request.head.repo.fork" in preview["preview"]["if"]
    assert "id-token" not in preview["plan"]["permissions"]


def test_a_deployment_waits_for_the_environments_approval() -> None:
    deploy = jobs(FOLDER / "deploy.yml")
    assert all("environment" in job for job in deploy.values())
    assert deploy["up"]["needs"] == "images"


def place_of(found: list[dict[str, Any]], **wanted: str) -> int:
    """Where the only step stands whose keys begin so."""
    (place,) = (
        place
        for place, step in enumerate(found)
        if all(str(step.get(key, "")).startswith(value) for key, value in wanted.items())
    )
    return place


@pytest.mark.parametrize("status", [0, 1, 2])
def test_a_deployment_goes_no_further_than_the_doctor_lets_it(status: int, tmp_path: Path) -> None:
    """It looks as whoever deploys, with the digests in place, and its exit status is the step's."""
    up = jobs(FOLDER / "deploy.yml")["up"]["steps"]
    doctor = place_of(up, run=".venv/bin/python -m infra.doctor")
    assert place_of(up, uses="azure/login@") < place_of(up, name="Hand the digests") < doctor
    assert "up" in [step.get("with", {}).get("command") for step in up[doctor:]]
    assert not [step for step in up if "continue-on-error" in step or "if" in step]
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "$@"\nexit {status}\n')
    python.chmod(0o755)
    done = subprocess.run(
        ["bash", "-e", "-c", up[doctor]["run"]],
        cwd=tmp_path, env={"STACK": "prod", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (status, "-m infra.doctor prod\n")


def test_every_workflow_runs_the_pulumi_that_the_tests_run() -> None:
    pinned = re.search(
        r"^pulumi==(.+)$", (ROOT / "requirements.in").read_text("utf-8"), re.MULTILINE
    )
    assert pinned is not None
    installs = [
        step.get("with", {}).get("pulumi-version")
        for path in FILES
        for step in steps(path)
        if step.get("uses", "").startswith("pulumi/actions@")
    ]
    assert set(installs) == {pinned[1]}


@pytest.mark.parametrize(
    ("stack", "runners", "expected"),
    [
        ("prod", {"DEV_RUNNER": "dev's"}, "ubuntu-24.04"),
        ("prod", {"DEV_RUNNER": "dev's", "PROD_RUNNER": "prod's"}, "prod's"),
        ("dev", {"DEV_RUNNER": "dev's", "PROD_RUNNER": "prod's"}, "dev's"),
        ("", {"PROD_RUNNER": "prod's"}, "ubuntu-24.04"),
    ],
)
def test_no_stack_is_deployed_on_anothers_runner(
    stack: str, runners: dict[str, str], expected: str
) -> None:
    for job in jobs(FOLDER / "deploy.yml").values():
        expression = job["runs-on"].removeprefix("${{ ").removesuffix(" }}")
        assert evaluated(expression, stack, runners) == expected


def evaluated(expression: str, stack: str, runners: dict[str, str]) -> str:
    """What GitHub makes of it, whose `&&` and `||` are Python's `and` and `or`."""
    python = expression.replace("&&", "and").replace("||", "or").replace("inputs.stack", "stack")
    python = re.sub(r"vars\.(\w+)", r"runners.get('\1', '')", python)
    return eval(python, {"stack": stack, "runners": runners})


def test_digests_are_kept_as_long_as_an_approval_may_wait() -> None:
    """Thirty days: docs.github.com/actions/reference/limits."""
    kept = [
        step["with"]["retention-days"]
        for step in steps(FOLDER / "deploy.yml")
        if step.get("uses", "").startswith("actions/upload-artifact@")
    ]
    assert kept == [30]


def test_a_deployment_without_its_digests_ends_there(tmp_path: Path) -> None:
    up = jobs(FOLDER / "deploy.yml")["up"]["steps"]
    script = up[place_of(up, name="Hand the digests")]["run"]
    pulumi = tmp_path / "pulumi"
    pulumi.write_text('#!/bin/sh\necho "$@"\n')
    pulumi.chmod(0o755)
    (tmp_path / "faq.reference").write_text("registry/scoring-faq@sha256:0\n")
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=tmp_path, env={"STACK": "prod", "PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "faq.image registry/scoring-faq@sha256:0" in done.stdout
    assert "resnet.image" not in done.stdout


@every_workflow
def test_actionlint_finds_nothing(path: Path) -> None:
    program = shutil.which("actionlint") or shutil.which("actionlint", path=BUILT)
    if program is None:
        pytest.skip("actionlint is not here: make actionlint")
    checked = subprocess.run([program, str(path)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
