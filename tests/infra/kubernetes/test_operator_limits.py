"""Whatever operators may patch is limited by a policy; tests/cluster asks the API server itself."""

from __future__ import annotations

from typing import Any

from tests.infra.kubernetes.platform_objects import FULL, declared, manifest, objects

ROLE = "realtime-scoring-operator"


def _of_kind(kind: str) -> list[dict[str, Any]]:
    return [found for found in objects(declared(FULL)) if found["kind"] == kind]


def _rules(policy: dict[str, Any]) -> list[dict[str, Any]]:
    return policy["spec"]["matchConstraints"]["resourceRules"]


def test_whatever_operators_may_patch_is_limited() -> None:
    patched = {
        (group, resource)
        for rule in manifest(declared(FULL), "Role", ROLE)["rules"]
        if "patch" in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    limited = {
        (group, resource)
        for policy in _of_kind("ValidatingAdmissionPolicy")
        for rule in _rules(policy)
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    # Which has nothing but a number of pods.
    assert patched - {("apps", "deployments/scale")} == limited


def test_a_change_by_any_version_of_the_api_is_judged() -> None:
    for policy in _of_kind("ValidatingAdmissionPolicy"):
        assert policy["spec"]["matchConstraints"]["matchPolicy"] == "Equivalent"
        assert {tuple(rule["operations"]) for rule in _rules(policy)} == {("UPDATE",)}
        assert policy["spec"]["failurePolicy"] == "Fail"


def test_what_a_policy_does_not_let_pass_is_denied_in_the_services_namespace() -> None:
    for policy in _of_kind("ValidatingAdmissionPolicy"):
        name = policy["metadata"]["name"]
        binding = manifest(declared(FULL), "ValidatingAdmissionPolicyBinding", name)["spec"]
        assert (binding["policyName"], binding["validationActions"]) == (name, ["Deny"])
        namespaces = binding["matchResources"]["namespaceSelector"]["matchLabels"]
        assert namespaces == {"kubernetes.io/metadata.name": "scoring"}


def test_nobody_may_patch_before_the_limits_are_there() -> None:
    recording = declared(FULL)
    limits = {found.urn for found in recording.of_type(":ValidatingAdmissionPolicyBinding")}
    assert limits
    for binding in recording.of_type(":RoleBinding"):
        assert limits <= set(binding.options.depends_on)


def test_without_operators_nothing_is_limited() -> None:
    assert not [found for found in objects(declared()) if "Admission" in found["kind"]]
