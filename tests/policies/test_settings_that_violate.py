"""A policy that a setting governs: the setting drives the program into it, or is refused before.

Each change of settings is one run of the real program, from the settings file on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from infra.mistakes import SettingsRefused
from infra.recording import record
from infra.sections.words import section_of
from infra.settings import PROJECT, Settings, read_settings
from policies.pack import RULES
from tests.infra.plans import NAMES
from tests.infra.stack_files import changed
from tests.policies.mutations import policies_that_report


@dataclass(frozen=True)
class Change:
    """Settings of a stack file changed, by key, and the policies that then report the stack."""

    policies: frozenset[str]
    settings: Mapping[str, Any]
    stack: str = "prod"

    def __str__(self) -> str:
        return ", ".join(f"{key}={value}" for key, value in self.settings.items())

    def read(self) -> Settings:
        text = NAMES[self.stack].read_text(encoding="utf-8")
        values = {
            key.removeprefix(f"{PROJECT}:"): value
            for key, value in yaml.safe_load(text)["config"].items()
        }
        return read_settings(_without_placeholders(changed(values, dict(self.settings))))


@dataclass(frozen=True)
class Refusal(Change):
    """Settings that the rules refuse, so that the policy is left to other people's programs."""

    key: str = field(default="", kw_only=True)


def change(*policies: str, stack: str = "prod", **settings: Any) -> Change:
    dotted = {key.replace("__", "."): value for key, value in settings.items()}
    return Change(frozenset(policies), dotted, stack)


def refusal(policy: str, key: str, value: Any, **others: Any) -> Refusal:
    dotted = {name.replace("__", "."): other for name, other in others.items()}
    return Refusal(frozenset({policy}), {key: value, **dotted}, key=key)


CHANGES = (
    change("aks-policy-add-on", security__azure_policy="off"),
    change("aks-defender-profile", security__defender__cluster_profile=False),
    change("aks-auto-upgrade", cluster__upgrades__channel="none"),
    change("aks-node-image-upgrade", cluster__upgrades__node_image_channel="None"),
    change("aks-supported-version", cluster__kubernetes_version="1.34"),
    change("aks-pool-zones", "acr-zone-redundant", cluster__zones=[]),
    change("aks-system-pool-size", cluster__system_pool__min_nodes=1),
    change(
        "acr-production-tier",
        registry__acr={"sku": "Basic"},
    ),
    change("acr-private", registry__acr__private=False),
    change("acr-retention", registry__acr__untagged_retention_days=None),
    change("gateway-flood-protection", network__ddos__protection="none"),
    change(
        "firewall-prevents", stack="everything-on", gateway__web_application_firewall="detection"
    ),
    change("key-vault-recovery", security__key_vault__purge_protection=False),
    change("key-vault-network", security__key_vault__private=False),
)
REFUSALS = (
    refusal("aks-api-server-restricted", "cluster.private", False),
    refusal(
        "aks-api-server-ranges-closed", "cluster.authorized_ip_ranges", ["0.0.0.0/0"],
        cluster__private=False,
    ),
    refusal("aks-uptime-agreement", "cluster.tier", "Free", cluster__cost_analysis=False),
    refusal("log-workspace-retention", "monitoring.logs.retention_days", 7),
    refusal("alerts-reach-somebody", "monitoring.alerts.emails", [""]),
    refusal("stateful-resource-protected", "security.protect", False),
    refusal("autoscaler-bounds", "faq.scaling.min_replicas", 25),
    refusal("autoscaler-two-pods", "faq.scaling.min_replicas", 1),
    refusal("certificate-trusted", "gateway.tls.issuer", "self-signed"),
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_the_setting_makes_the_program_violate_the_policy(change: Change) -> None:
    recording = record(change.read(), stack=change.stack)
    assert policies_that_report(recording.resources) == change.policies


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_the_setting_is_refused_before_there_is_a_program(refusal: Refusal) -> None:
    with pytest.raises(SettingsRefused) as refused:
        refusal.read()
    assert refusal.key in {re.sub(r"\[\d+\]", "", one.key) for one in refused.value.mistakes}


def test_every_policy_that_names_a_setting_is_driven_by_one() -> None:
    driven = {policy for one in (*CHANGES, *REFUSALS) for policy in one.policies}
    named = {rule.name for rule in RULES if _names_a_setting(rule.remediation)}
    assert len(named) > 15
    assert named <= driven


def _names_a_setting(remediation: str) -> bool:
    keys = re.findall(r"[a-z_]+(?:\.[a-z_]+)+", remediation)
    return any(_is_setting(key) or _is_setting(f"faq.{key}") for key in keys)


def _is_setting(key: str) -> bool:
    model: type[BaseModel] | None = Settings
    for part in key.split("."):
        if model is None or part not in model.model_fields:
            return False
        model = section_of(model.model_fields[part].annotation)
    return True


def _without_placeholders(value: Any) -> Any:
    """Encrypted values as the program gets them: texts."""
    if isinstance(value, list):
        return [_without_placeholders(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"secure"}:
        return "rts_only-for-tests-and-long-enough-0123456789abcdef"
    return {key: _without_placeholders(inner) for key, inner in value.items()}
