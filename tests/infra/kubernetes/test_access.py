"""Who may do what in the cluster."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.kubernetes.platform_objects import (
    FULL,
    GROUP,
    GUEST,
    OTHER_GROUP,
    USER_NAME,
    declared,
    manifest,
    objects,
)

OPERATOR = "realtime-scoring-operator"
READER = "realtime-scoring-reader"
LOOKING = {"get", "list", "watch"}


def _rules(kind: str, name: str) -> list[dict[str, Any]]:
    return manifest(declared(FULL), kind, name)["rules"]


def _verbs(rules: list[dict[str, Any]], group: str, resource: str) -> set[str]:
    return {
        verb
        for rule in rules
        if group in rule["apiGroups"] and resource in rule["resources"]
        for verb in rule["verbs"]
    }


def _bindings(kind: str) -> dict[str, str]:
    """Who is bound to what."""
    found: dict[str, str] = {}
    for binding in objects(declared(FULL)):
        if binding["kind"] == kind:
            (subject,) = binding["subjects"]
            assert subject["apiGroup"] == "rbac.authorization.k8s.io"
            found[f"{subject['kind']} {subject['name']}"] = (
                f"{binding['roleRef']['kind']} {binding['roleRef']['name']}"
            )
    return found


@pytest.mark.parametrize("rules", [("Role", OPERATOR), ("ClusterRole", READER)])
def test_nobody_sees_secrets_or_runs_commands_in_pods(rules: tuple[str, str]) -> None:
    for rule in _rules(*rules):
        assert "*" not in rule["resources"] + rule["verbs"] + rule["apiGroups"]
        assert not set(rule["resources"]) & {
            "secrets", "pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers",
            "serviceaccounts/token", "nodes/proxy",
        }  # fmt: skip
        assert not set(rule["verbs"]) & {
            "create",
            "deletecollection",
            "escalate",
            "impersonate",
            "bind",
        }


def test_readers_only_look() -> None:
    for rule in _rules("ClusterRole", READER):
        assert set(rule["verbs"]) == LOOKING


def test_operators_read_logs_restart_and_scale_in_one_namespace() -> None:
    rules = _rules("Role", OPERATOR)
    assert manifest(declared(FULL), "Role", OPERATOR)["metadata"]["namespace"] == "scoring"
    assert "get" in _verbs(rules, "", "pods/log")
    assert _verbs(rules, "apps", "deployments") == LOOKING | {"patch"}
    assert _verbs(rules, "apps", "deployments/scale") == {"get", "patch", "update"}
    assert "patch" in _verbs(rules, "autoscaling", "horizontalpodautoscalers")
    assert "patch" in _verbs(rules, "keda.sh", "scaledobjects")


def test_groups_and_users_are_bound_one_by_one() -> None:
    assert _bindings("RoleBinding") == {
        f"Group {GROUP}": f"Role {OPERATOR}",
        f"User {USER_NAME}": f"Role {OPERATOR}",
        f"User {GUEST}": f"Role {OPERATOR}",
    }
    assert _bindings("ClusterRoleBinding") == {f"Group {OTHER_GROUP}": f"ClusterRole {READER}"}


def test_no_person_is_named_in_the_name_of_an_object() -> None:
    names = {found["metadata"]["name"] for found in objects(declared(FULL))}
    assert f"{OPERATOR}-user-cccccccc" in names
    assert not [name for name in names if "ada" in name]


def test_a_group_named_twice_is_bound_once() -> None:
    access = {"operator_groups": [GROUP, GROUP], "reader_groups": [OTHER_GROUP, OTHER_GROUP]}
    kinds = [found["kind"] for found in objects(declared({"access": access}))]
    assert (kinds.count("RoleBinding"), kinds.count("ClusterRoleBinding")) == (1, 1)


def test_bindings_come_after_their_role() -> None:
    recording = declared(FULL)
    role = recording.one("kubernetes:rbac.authorization.k8s.io/v1:Role")
    for binding in recording.of_type(":RoleBinding"):
        assert role.urn in binding.options.depends_on


def test_without_people_there_are_no_roles() -> None:
    kinds = {found["kind"] for found in objects(declared())}
    assert not kinds & {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
