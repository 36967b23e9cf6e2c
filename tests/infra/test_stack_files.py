"""Stack files: the committed ones, the matrix, and every way in which one can be unreadable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pulumi.runtime
import pytest
import yaml
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as some

from infra.mistakes import SettingsRefused
from infra.settings import Settings
from infra.stack_config import read_stack_config
from infra.stack_file import LARGEST_FILE_BYTES, PLACEHOLDER, read_stack_file
from tests.engine.project import SECRETS, encrypted
from tests.infra.stack_files import COMMITTED, MATRIX, ROOT

IDS = """
  realtime-scoring:subscription_id: 11111111-1111-1111-1111-111111111111
  realtime-scoring:tenant_id: 22222222-2222-2222-2222-222222222222
"""
NAMES = {
    "bring-your-own-vnet", "cheapest", "docker-hub", "everything-on", "existing-log-analytics",
    "gpu-mig", "gpu-spot", "gpu-time-slicing", "keda-queue", "no-monitoring", "prebuilt-images",
    "private-cluster", "split-platform", "split-services", "tls-existing-secret", "waf", "web",
}  # fmt: skip


def refusal(path: Path) -> list[str]:
    """The lines with which a stack file is refused."""
    with pytest.raises(SettingsRefused) as refused:
        read_stack_file(path)
    return str(refused.value).splitlines()


def written(folder: Path, content: str) -> Path:
    path = folder / "Pulumi.some.yaml"
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", [*COMMITTED, *MATRIX], ids=lambda path: path.stem)
def test_every_stack_file_loads(path: Path) -> None:
    assert read_stack_file(path).layers


def test_the_named_files_are_there() -> None:
    assert {path.name for path in COMMITTED} == {
        f"Pulumi.{stack}.yaml" for stack in ("dev", "prod", "local")
    }
    assert {path.stem for path in MATRIX} >= NAMES


def test_each_file_of_the_matrix_says_in_its_first_line_what_it_shows() -> None:
    assert not [path.name for path in MATRIX if not path.read_text().startswith("# ")]


def test_each_file_of_the_matrix_exercises_something_of_its_own() -> None:
    """Some setting has a value that it has in no other file of the matrix."""
    leaves = {
        path.stem: set(_leaves(read_stack_file(path).model_dump(mode="json"))) for path in MATRIX
    }
    del leaves["everything-on"]  # it shows that all go together, not what each does

    alike = [
        name
        for name, own in leaves.items()
        if not own - set().union(*(other for stem, other in leaves.items() if stem != name))
    ]

    assert alike == []


def test_one_committed_stack_at_most_owns_the_defender_plan_of_a_subscription() -> None:
    owners = [
        settings.subscription_id
        for settings in map(read_stack_file, COMMITTED)
        if settings.security.defender.plan == "owned"
    ]

    assert len(owners) == len(set(owners))


def test_no_committed_file_holds_a_secret() -> None:
    """Nobody but the one who encrypted it could use it."""
    assert not [path.name for path in COMMITTED if "secure:" in path.read_text()]


def test_the_engines_tests_have_a_value_for_each_encrypted_setting() -> None:
    """Those take long, and are skipped without `pulumi`."""
    found = {
        setting
        for path in (*COMMITTED, *MATRIX)
        for setting, _ in encrypted(yaml.safe_load(path.read_text())["config"])
    }

    assert found == set(SECRETS)


def test_dev_is_small() -> None:
    dev = read_stack_file(ROOT / "Pulumi.dev.yaml")

    assert dev.cluster.gpu_pool is None
    assert dev.cluster.tier == "Free"
    assert dev.network.ddos.protection == "none"
    assert dev.cluster.system_pool.min_nodes + dev.cluster.cpu_pool.min_nodes == 2
    assert dev.monitoring.logs.daily_cap_gb is not None
    assert not dev.monitoring.prometheus


def test_prod_has_everything_on() -> None:
    prod = read_stack_file(ROOT / "Pulumi.prod.yaml")

    assert prod.cluster.private
    assert prod.cluster.zones == ("1", "2", "3")
    assert prod.cluster.system_pool.min_nodes >= 3
    assert prod.registry.acr.private
    assert prod.registry.acr.sku == "Premium"
    assert prod.network.ddos.protection == "plan"
    assert prod.resnet.device == "gpu"
    assert prod.security.defender.cluster_profile
    assert prod.security.key_vault.private
    assert prod.security.locks
    assert prod.monitoring.grafana
    assert prod.monitoring.alerts.emails
    assert min(each.scaling.min_replicas for each in (prod.faq, prod.resnet)) >= 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "holds no keys"),
        ("- a\n", "holds no keys"),
        ("text\n", "holds no keys"),
        ("secretsprovider: default\n", "config: is missing"),
        ("config: [a]\n", "config: is no group of keys"),
        ("config: {a: \n", "is no YAML: line 2"),
        ("config: {}\n---\nconfig: {}\n", "is no YAML"),
        ("config: !!python/object:os.system {}\n", "is no YAML"),
        ("config: &a {b: *a}\n", "aliases are not taken"),
        ("config: {? [a] : b}\n", "is no YAML"),
        ("config: " + "[" * 20_000, "is nested too deeply"),
        ("\x00", "is no YAML"),
        ("#" * (LARGEST_FILE_BYTES + 1), "is too large"),
    ],
)
def test_an_unreadable_file_is_one_mistake(tmp_path: Path, content: str, says: str) -> None:
    (line,) = refusal(written(tmp_path, content))

    assert says in line
    assert "; allowed: " in line


def test_a_file_that_is_not_there_or_no_text_is_one_mistake(tmp_path: Path) -> None:
    binary = tmp_path / "Pulumi.binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")

    assert "cannot be read: No such file" in refusal(tmp_path / "Pulumi.none.yaml")[0]
    assert "cannot be read" in refusal(tmp_path)[0]
    assert "is not text in UTF-8" in refusal(binary)[0]


def test_keys_of_nobody_and_keys_that_stand_twice_are_mistakes_each(tmp_path: Path) -> None:
    content = f"""
confg: {{}}
config:{IDS}
  cluster: {{}}
  azure-native:location: westeurope
  pulumi:disable-default-providers: ["*"]
  realtime-scoring:enviroment: dev
  realtime-scoring:faq: {{enabled: true, enabled: false}}
"""

    assert [line.split(";")[0] for line in refusal(written(tmp_path, content))] == [
        "faq.enabled: stands here twice",
        "confg: is no key of a stack file",
        "cluster: has no namespace",
        "azure-native:location: is of the namespace azure-native, which the stack does not read",
        "enviroment: is no setting",
    ]


def test_words_and_times_are_texts_as_the_engine_has_them(tmp_path: Path) -> None:
    """YAML 1.1, which PyYAML speaks by itself, reads `off` as false and 22:00 as 1320."""
    content = f"""
config:{IDS}
  realtime-scoring:monitoring: {{logs: {{audit: off}}}}
  realtime-scoring:cluster: {{upgrades: {{cluster_window: {{start_time: 22:00}}}}}}
  realtime-scoring:api_keys:
    - {{name: on, sha256: "{"0" * 64}", scopes: [faq], expires: 2030-01-31T00:00:00Z}}
"""

    settings = read_stack_file(written(tmp_path, content))

    assert settings.monitoring.logs.audit == "off"
    assert settings.cluster.upgrades.cluster_window.start_time == "22:00"
    assert settings.api_keys[0].name == "on"


DOCKER_HUB = (
    "realtime-scoring:registry: "
    "{kind: docker_hub, docker_hub: {namespace: team, username: user, token: %s}}"
)


def test_an_encrypted_secret_is_taken_and_not_opened(tmp_path: Path) -> None:
    content = f"config:{IDS}  {DOCKER_HUB % '{secure: v1:abc}'}\n"

    hub = read_stack_file(written(tmp_path, content)).registry.docker_hub

    assert hub is not None
    assert hub.token.get_secret_value() == PLACEHOLDER


def test_a_secret_in_plain_is_a_mistake_that_does_not_repeat_it(tmp_path: Path) -> None:
    (line,) = refusal(written(tmp_path, f"config:{IDS}  {DOCKER_HUB % 'hunter2'}\n"))

    assert line == (
        "registry.docker_hub.token: the value (not shown) stands in plain; "
        "allowed: an encrypted value, set with `pulumi config set --secret --path`"
    )


def test_an_encrypted_value_of_a_setting_that_is_no_secret_is_a_mistake(tmp_path: Path) -> None:
    content = f"config:{IDS}  realtime-scoring:cluster: {{tier: {{secure: v1:abc}}}}\n"

    assert refusal(written(tmp_path, content)) == [
        "cluster.tier: is encrypted, and is no secret; allowed: Free, Standard or Premium, in plain"
    ]


def configured(config: Mapping[str, Any], secrets: list[str]) -> Settings:
    """The settings of a running stack, given to the program as the engine gives them."""
    pulumi.runtime.set_all_config(
        {k: v if isinstance(v, str) else json.dumps(v) for k, v in config.items()}, secrets
    )
    try:
        return read_stack_config()
    finally:
        pulumi.runtime.set_all_config({}, [])


RUNNING = {
    "realtime-scoring:subscription_id": "11111111-1111-1111-1111-111111111111",
    "realtime-scoring:tenant_id": "22222222-2222-2222-2222-222222222222",
    # Pulumi.yaml's defaults for what a stack file leaves out.
    "realtime-scoring:base_image": "",
    "realtime-scoring:platform_stack": "",
    "realtime-scoring:layers": ["platform", "services"],
    "realtime-scoring:cluster": {"system_pool": {"max_nodes": 4}},
    "realtime-scoring:api_keys": [],
}
TOKEN = {
    "kind": "docker_hub",
    "docker_hub": {"namespace": "team", "username": "user", "token": "hunter2"},
}


def test_the_running_stack_is_read_as_its_file_is() -> None:
    settings = configured(RUNNING, [])

    assert settings.cluster.system_pool.max_nodes == 4
    assert settings.base_image is None


def test_the_running_stacks_secrets_must_be_encrypted() -> None:
    config = {**RUNNING, "realtime-scoring:registry": TOKEN}

    hub = configured(config, ["realtime-scoring:registry"]).registry.docker_hub
    with pytest.raises(pulumi.RunError) as refused:
        configured(config, [])

    assert hub is not None
    assert hub.token.get_secret_value() == "hunter2"
    assert "registry.docker_hub.token: the value (not shown) stands in plain" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_the_running_stacks_mistakes_are_one_line_each() -> None:
    config = {
        **RUNNING,
        "realtime-scoring:clutser": {},
        "realtime-scoring:location": "x",
        "aws:a": "b",
    }

    with pytest.raises(pulumi.RunError) as refused:
        configured(config, [])

    assert [line.split(":")[0] for line in str(refused.value).strip().splitlines()] == [
        "aws", "clutser", "location",
    ]  # fmt: skip


@given(some.text(max_size=60) | some.binary(max_size=60))
@hypothesis_settings(max_examples=100)
def test_junk_is_refused_as_a_file_too(
    tmp_path_factory: pytest.TempPathFactory, junk: str | bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "Pulumi.junk.yaml"
    path.write_bytes(junk if isinstance(junk, bytes) else junk.encode("utf-8", "surrogatepass"))

    with pytest.raises(SettingsRefused):
        read_stack_file(path)


def _leaves(value: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, f"{path}.{key}")]
    return [(path, str(value))]
