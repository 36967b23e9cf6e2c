"""What somebody reads who got a setting wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as some

from infra.mistakes import Mistake, SettingsRefused, key_of
from infra.sections.words import section_of
from infra.settings import Settings, read_settings
from tests.infra.stack_files import SOUND, changed


def lines(changes: dict[str, Any]) -> list[str]:
    """The refusal of sound settings with changes."""
    with pytest.raises(SettingsRefused) as refused:
        read_settings(changed(SOUND, changes))
    return str(refused.value).splitlines()


def test_ten_mistakes_are_ten_lines() -> None:
    found = lines(
        {
            "location": "West Europe",
            "clutser": {},
            "cluster.private": "yes",
            "cluster.kubernetes_version": 1.36,
            "cluster.cpu_pool.vm_size": "Standard_B2s",
            "cluster.cpu_pool.max_nodes": 0,
            "network.nodes_subnet": "10.50.0.0/22",
            "gateway.tls.issuer": "acme",
            "registry.docker_hub": {"namespace": "team", "username": "user"},
            "api_keys": [{"name": "a", "sha256": "0" * 64, "scopes": ["fqa"]}],
        }
    )

    assert [line.split(":")[0] for line in found] == [
        "api_keys[0].scopes[0]",
        "cluster.cpu_pool.max_nodes",
        "cluster.cpu_pool.vm_size",
        "cluster.kubernetes_version",
        "cluster.private",
        "clutser",
        "gateway.tls.email",
        "location",
        "network.nodes_subnet",
        "registry.docker_hub.token",
    ]
    assert all("; allowed: " in line for line in found)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"enviroment": "dev"}, "enviroment: is no setting; allowed: did you mean environment?"),
        (
            {"cluster.cpu_pool.max_node": 3},
            "cluster.cpu_pool.max_node: is no setting; allowed: did you mean max_nodes?",
        ),
        (
            {"api_keys": [{"name": "a", "sha265": "0" * 64, "scopes": ["faq"]}]},
            "api_keys[0].sha265: is no setting; allowed: did you mean sha256?",
        ),
        (
            {"gateway.tls.qqq": 1},
            "gateway.tls.qqq: is no setting; allowed: email, existing_secret, issuer, minimum_version",
        ),
        ({"cluster.tier": "Gold"}, 'cluster.tier: "Gold" is wrong; allowed: Free, Standard or Premium'),
        (
            {"faq.scaling.max_replicas": 501},
            "faq.scaling.max_replicas: 501 is wrong; allowed: a whole number from 1 to 500",
        ),
        (
            {"faq.scaling.max_replicas": True},
            "faq.scaling.max_replicas: true is no number; allowed: a whole number from 1 to 500",
        ),
        (
            {"cluster.kubernetes_version": 1.3},
            'cluster.kubernetes_version: 1.3 is wrong; allowed: major.minor in quotes, such as "1.36"',
        ),
        (
            {"network.pod_range": "10.42.0.1/16"},
            'network.pod_range: "10.42.0.1/16" has address bits after its prefix; '
            "allowed: 10.42.0.0/16",
        ),
        ({"tags": {"owner": 1}}, "tags.owner: 1 is wrong; allowed: a text of at most 256 characters"),
        (
            {"tags": {"a<b": "c"}},
            'tags.a<b: "a<b" is wrong; allowed: a name without < > % & \\ ? /',
        ),
        (
            {"layers": []},
            "layers: an empty list is wrong; "
            "allowed: a list of at least 1, each platform, services or local",
        ),
        (
            {"cluster.zones": [1, 2, 4]},
            "cluster.zones[2]: 4 is wrong; allowed: 1, 2 or 3",
        ),
        (
            {"monitoring.logs.daily_cap_gb": 0},
            "monitoring.logs.daily_cap_gb: 0 is wrong; allowed: a number over 0, at most 1000",
        ),
        (
            {"subscription_id": "mine"},
            'subscription_id: "mine" is wrong; '
            "allowed: a GUID such as 11111111-2222-3333-4444-555555555555",
        ),
    ],
)  # fmt: skip
def test_a_mistake_says_what_is_wrong_and_what_is_allowed(
    changes: dict[str, Any], line: str
) -> None:
    assert lines(changes) == [line]


def test_a_burstable_size_is_refused_with_the_sizes_that_are_known() -> None:
    (line,) = lines({"cluster.system_pool.vm_size": "Standard_B2s"})

    assert line.startswith('cluster.system_pool.vm_size: "Standard_B2s" is a burstable size')
    assert "Standard_D2ds_v5" in line


@pytest.mark.parametrize(
    "changes",
    [
        {"registry.docker_hub": {"namespace": "team", "username": "user", "token": 12345678}},
        {"registry.docker_hub": "12345678"},
        {"registry": "12345678"},
        {"web.api_key": ["12345678"]},
        {"web": "12345678"},
        # The key itself where its hash belongs.
        {"api_keys": [{"name": "a", "sha256": "12345678", "scopes": ["faq"]}]},
        {"api_keys": ["12345678"]},
    ],
)
def test_a_secret_value_is_never_repeated(changes: dict[str, Any]) -> None:
    assert not [line for line in lines(changes) if "12345678" in line]


def test_a_rule_is_silent_about_what_is_wrong_by_itself() -> None:
    """Without the network's own mistake, its subnets would lie outside of it too."""
    found = lines({"network.address_space": "10.50.0.0"})

    assert [line.split(":")[0] for line in found] == ["network.address_space"]


def test_a_misspelt_key_is_one_mistake_not_two() -> None:
    (line,) = lines({"cluster.gpu_pol": {}, "resnet.device": "gpu"})

    assert "did you mean gpu_pool?" in line


def test_a_mistake_keeps_to_one_line() -> None:
    mistake = Mistake("a\nb", "c\x1b[31m\td", "e\u2028f")

    assert str(mistake) == "a b: c [31m d; allowed: e f"


def test_keys_are_written_as_pulumi_writes_paths() -> None:
    assert key_of(("api_keys", 0, "scopes", 1)) == "api_keys[0].scopes[1]"


JUNK = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=4)
    | some.dictionaries(some.text(max_size=10) | some.sampled_from(sorted(Settings.model_fields)), inner),
    max_leaves=12,
)  # fmt: skip


def _shaped(section: Any) -> some.SearchStrategy[Any]:
    """Junk at the keys that there are, at every depth."""
    parts: dict[str, some.SearchStrategy[Any]] = {}
    for name, field in section.model_fields.items():
        inner = section_of(field.annotation)
        parts[name] = JUNK
        if inner is not None:
            group = _shaped(inner)
            parts[name] = JUNK | group | some.lists(group, max_size=2)
    return some.fixed_dictionaries({}, optional=parts)


@given(JUNK.filter(lambda value: isinstance(value, dict)) | _shaped(Settings))
@hypothesis_settings(max_examples=60)
def test_junk_is_refused_in_lines_and_never_by_another_error(values: dict[str, Any]) -> None:
    with pytest.raises(SettingsRefused) as refused:
        read_settings({**values, "subscription_id": 1})

    assert len(str(refused.value).splitlines()) == len(refused.value.mistakes)
