"""`python -m infra.plan`: what it prints, what it writes, and how it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from infra import plan
from infra.planning.stacks import ROOT
from tests.infra.plans import recording_of

SMALL = """\
config:
  realtime-scoring:layers: [local]
"""


def _run(
    *arguments: str, seed: str = "0", stdout: int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.plan", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": seed},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def dev_json() -> str:
    run = _run("dev", "--json")
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_json_has_one_object_a_resource_in_the_agreed_shape(dev_json: str) -> None:
    resources = json.loads(dev_json)
    assert len(resources) == len(recording_of("dev").resources)
    for resource in resources:
        assert list(resource) == ["type", "name", "urn", "parent", "inputs", "options"]


def test_json_is_sorted_and_the_same_in_every_process(dev_json: str) -> None:
    urns = [resource["urn"] for resource in json.loads(dev_json)]
    assert urns == sorted(urns)
    assert _run("dev", "--json", seed="1").stdout == dev_json


def test_json_shows_unknown_values_by_where_they_come_from(dev_json: str) -> None:
    resources = {resource["urn"]: resource for resource in json.loads(dev_json)}
    pools = [r for r in resources.values() if r["type"].endswith(":AgentPool")]
    origin = pools[0]["inputs"]["vnetSubnetID"].removeprefix("<output of ").split(">")[0]
    assert origin.rsplit(".", 1)[0] in resources


def test_json_shows_no_secret(dev_json: str) -> None:
    resources = json.loads(dev_json)
    provider = next(r for r in resources if r["type"] == "pulumi:providers:kubernetes")
    assert provider["inputs"]["kubeconfig"] == "<secret>"


def test_the_tree_has_every_resource_counts_and_outputs(capsys: pytest.CaptureFixture[str]) -> None:
    assert plan.main(["dev"]) == 0
    printed = capsys.readouterr().out
    assert "\033[" not in printed
    for resource in recording_of("dev").resources:
        assert f"─ {resource.name}  " in printed
    assert "1  azure-native:containerservice:ManagedCluster" in printed
    assert "https://" in printed.split("Outputs")[1]


def test_manifests_are_valid_yaml_without_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "manifests"
    assert plan.main(["dev", "--manifests", str(folder)]) == 0
    files = sorted(folder.glob("*.yaml"))
    assert capsys.readouterr().out == f"{len(files)} Kubernetes objects written to {folder}\n"
    objects = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in files]
    assert all({"apiVersion", "kind", "metadata"} <= set(found) for found in objects)
    assert objects[0]["kind"] == "Namespace"
    secrets = [found for found in objects if found["kind"] == "Secret"]
    assert secrets
    for secret in secrets:
        assert "data" not in secret
        assert set(secret["stringData"].values()) == {"<secret>"}


def test_manifests_name_the_charts_that_go_with_them(tmp_path: Path) -> None:
    plan.main(["dev", "--manifests", str(tmp_path / "manifests")])
    read_me = (tmp_path / "manifests" / "README.md").read_text(encoding="utf-8")
    charts = recording_of("dev").of_type("helm.sh/v3:Release")
    assert charts
    for chart in charts:
        assert f"{chart.inputs['chart']} --version {chart.inputs['version']}" in read_me
        assert (tmp_path / "manifests" / "helm" / f"{chart.inputs['name']}.values.yaml").is_file()


def test_manifests_replace_earlier_ones_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "manifests"
    plan.main(["dev", "--manifests", str(folder)])
    (folder / "999-stale.yaml").write_text("{}", encoding="utf-8")
    assert plan.main(["dev", "--manifests", str(folder)]) == 0
    assert not (folder / "999-stale.yaml").exists()
    (folder / "README.md").write_text("mine", encoding="utf-8")
    assert plan.main(["dev", "--manifests", str(folder)]) == 1
    assert "holds other files" in capsys.readouterr().err
    assert (folder / "README.md").read_text(encoding="utf-8") == "mine"
    assert list(tmp_path.iterdir()) == [folder]


def test_diff_tells_what_another_file_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.yaml"
    settings = (ROOT / "Pulumi.local.yaml").read_text(encoding="utf-8")
    other.write_text(
        f"{settings.rstrip()}\n  realtime-scoring:resnet: {{enabled: false}}\n"
        if "realtime-scoring:resnet:" not in settings
        else SMALL,
        encoding="utf-8",
    )
    assert plan.main(["local", "--diff", str(other)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["- Pulumi.local.yaml", f"+ {other}"]
    assert len(lines) > 3


def test_diff_of_a_stack_with_itself_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    assert plan.main(["local", "--diff", "Pulumi.local.yaml"]) == 0
    assert capsys.readouterr().out.endswith("\nNo differences.\n")


def test_an_unknown_stack_is_refused_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert plan.main(["prdo"]) == 1
    error = capsys.readouterr().err
    assert error == (
        'python -m infra.plan: there is no stack "prdo"; known: dev, local, prod; '
        "did you mean prod?\n"
    )


@pytest.mark.parametrize(
    "content",
    [None, "config: [", "[]", "{}", "config: {realtime-scoring:faqq: 1}", "\0", "config: 1"],
)
def test_a_file_that_cannot_be_used_gives_one_line_a_mistake(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "Pulumi.broken.yaml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert plan.main([str(path)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()
    assert all(line.startswith(f"{path}: ") for line in printed.err.splitlines())


@pytest.mark.parametrize(
    "arguments", [[], ["dev", "--json", "--diff", "prod"], ["dev", "prod"], ["dev", "--yaml"]]
)
def test_wrong_flags_exit_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        plan.main(arguments)
    assert exit_.value.code == 2


def test_a_reader_who_leaves_early_sees_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        run = _run("local", stdout=writer)
    finally:
        os.close(writer)
    assert (run.returncode, run.stderr) == (141, "")


def test_an_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(flags: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(plan, "_run", interrupt)
    assert plan.main(["dev"]) == 130


def test_settings_are_refused_before_any_provider_is_imported() -> None:
    program = (
        "import sys; from infra import plan; plan.main(['nosuch']);"
        "print(sorted(m for m in ('pulumi_azure_native', 'pulumi_kubernetes') if m in sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.stdout == "[]\n"
