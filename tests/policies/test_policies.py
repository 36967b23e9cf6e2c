"""Each policy: what passes, what it reports, and that it would report it in the real program."""

from __future__ import annotations

import functools
import re
from dataclasses import replace

import pytest
from pulumi_policy import EnforcementLevel

from infra.recording import Recorded
from policies.offline import Violation, violations
from policies.pack import RULES
from policies.rule import AnyRule
from tests.infra.plans import NAMES, recording_of
from tests.policies import azure_cases
from tests.policies.good_stack import GOOD_STACK, kubernetes
from tests.policies.mutations import (
    CASES,
    Round,
    policies_that_report,
    trial,
)
from tests.policies.spoiling import Case, put

RULES_BY_NAME = {rule.name: rule for rule in RULES}

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_stack = pytest.mark.parametrize("stack", NAMES)


def reported(resources: list[Recorded] | tuple[Recorded, ...], rule: AnyRule) -> list[Violation]:
    return violations(resources, [rule.policy()])


@functools.cache
def reported_in_real_program(stack: str) -> frozenset[str]:
    return policies_that_report(recording_of(stack).resources)


def in_environment(resources: list[Recorded], environment: str) -> list[Recorded]:
    return [
        replace(one, inputs={**one.inputs, "tags": {**one.inputs["tags"], "environment": environment}})  # type: ignore[dict-item]
        if isinstance(one.inputs.get("tags"), dict) else one
        for one in resources
    ]  # fmt: skip


@every_rule
def test_a_good_stack_passes(rule: AnyRule) -> None:
    assert reported(GOOD_STACK, rule) == []


@every_case
def test_a_spoilt_stack_is_reported(case: Case) -> None:
    assert reported(case.spoilt(GOOD_STACK), RULES_BY_NAME[case.policy])


@pytest.mark.slow
@every_case
def test_the_real_program_gone_wrong_is_reported(case: Case) -> None:
    """The field is flipped while the program declares the resource, not in what it left behind."""
    assert case.policy not in reported_in_real_program(case.stack)
    run = trial(case)
    assert case.policy in run.reported
    assert not run.missed[case], "a step found nothing to change"
    assert run.reported <= run.expected, "something else went wrong"


def test_a_step_that_finds_nothing_in_the_real_program_is_noticed() -> None:
    elsewhere = Case("any", (put(azure_cases.CONTAINER, "noSuchInput", 1),), "local")
    run = Round("local", [elsewhere])
    assert run.reported == frozenset()
    assert run.missed == {elsewhere: {0}}


@every_case
def test_production_rules_leave_other_environments_alone(case: Case) -> None:
    rule = RULES_BY_NAME[case.policy]
    found = reported(in_environment(case.spoilt(GOOD_STACK), "dev"), rule)
    assert bool(found) is not rule.production_only


ALLOWED = {
    "a port": {"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 443}]},
    "exceptions": {"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]},
    "some pods": {
        "from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "a"}}}]
    },
    "its own namespace": {"from": [{"podSelector": {}}]},
}


@pytest.mark.parametrize("rule", ALLOWED.values(), ids=ALLOWED)
def test_a_network_policy_may_allow_what_it_names(rule: dict[str, object]) -> None:
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]}
    allowing = kubernetes("networking.k8s.io/v1:NetworkPolicy", "allowing", spec=spec)
    assert reported([*GOOD_STACK, allowing], RULES_BY_NAME["namespace-default-deny"]) == []


def test_no_policy_lacks_a_case() -> None:
    assert {case.policy for case in CASES} == set(RULES_BY_NAME)


def test_names_are_unique_and_plain() -> None:
    assert len(RULES_BY_NAME) == len(RULES)
    for name in RULES_BY_NAME:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", name), name


@every_rule
def test_every_rule_says_what_and_why(rule: AnyRule) -> None:
    assert rule.sources
    assert all(source.url.startswith("https://") for source in rule.sources)
    for sentence in (rule.description, rule.remediation):
        assert sentence[0].isupper() or sentence.startswith("`")
        assert not sentence.endswith(".")


@every_rule
def test_the_engine_gets_what_the_rule_declares(rule: AnyRule) -> None:
    policy = rule.policy()
    assert policy.name == rule.name
    assert policy.severity is rule.severity
    assert policy.enforcement_level is rule.level
    assert policy.remediation_steps == rule.remediation
    assert policy.url == rule.sources[0].url


@every_stack
def test_no_stack_violates_a_mandatory_policy(stack: str) -> None:
    found = violations(recording_of(stack).resources)
    assert [str(violation) for violation in found if violation.mandatory] == []


def test_production_follows_every_advice() -> None:
    assert [str(violation) for violation in violations(recording_of("prod").resources)] == []


def test_a_report_names_policy_resource_and_remedy() -> None:
    case = Case(
        "aks-local-accounts-disabled", (put(azure_cases.CLUSTER, "disableLocalAccounts", False),)
    )
    (violation,) = reported(case.spoilt(GOOD_STACK), RULES_BY_NAME[case.policy])
    assert violation.policy == case.policy
    assert violation.urn.endswith("::cluster")
    assert violation.message == (
        "disableLocalAccounts is false, not true. Set disable_local_accounts=True."
    )
    assert violation.mandatory


def test_levels_are_the_engines() -> None:
    advisory = {rule.name for rule in RULES if rule.level is EnforcementLevel.ADVISORY}
    assert "acr-retention" in advisory
    assert "aks-local-accounts-disabled" not in advisory


def test_a_stack_without_tags_is_production_by_its_name() -> None:
    rule = RULES_BY_NAME["autoscaler-two-pods"]
    case = next(case for case in CASES if case.policy == rule.name)
    untagged = [
        replace(one, inputs={key: value for key, value in one.inputs.items() if key != "tags"})
        for one in case.spoilt(GOOD_STACK)
    ]
    assert reported(untagged, rule)
    other = [replace(one, urn=one.urn.replace(":prod::", ":dev::")) for one in untagged]
    assert reported(other, rule) == []
