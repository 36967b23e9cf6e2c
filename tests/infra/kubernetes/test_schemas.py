"""Every object of the platform is one that the pinned charts' definitions know."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from tests.infra.kubernetes.platform_objects import (
    BEHIND_FIREWALL,
    FULL,
    declared,
    definitions,
    objects,
)

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "full": FULL,
    "firewall": {
        "gateway": {
            **BEHIND_FIREWALL,
            "tls": {
                "issuer": "existing-secret",
                "existing_secret": "site",
                "minimum_version": "1.3",
            },
        }
    },
    "staging": {"gateway": {"tls": {"issuer": "acme-staging", "email": "ops@contoso.com"}}},
}


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_custom_objects_match_their_definitions(configuration: str) -> None:
    checked: set[str] = set()
    for found in objects(declared(CONFIGURATIONS[configuration])):
        schema = definitions().get((found["apiVersion"], found["kind"]))
        if schema is None:
            assert ".k8s.io/" not in found["apiVersion"] or "rbac" in found["apiVersion"] or (
                found["apiVersion"] in {"networking.k8s.io/v1", "admissionregistration.k8s.io/v1"}
            ), f"no definition of {found['apiVersion']} {found['kind']}"  # fmt: skip
            continue
        spec = {"spec": found["spec"]}
        jsonschema.validate(
            spec, {"type": "object", "properties": {"spec": schema["properties"]["spec"]}}
        )
        checked.add(found["kind"])
    expected = {
        "GatewayClass", "Gateway", "EnvoyProxy", "HTTPRoute",
        "ClientTrafficPolicy", "BackendTrafficPolicy",
    }  # fmt: skip
    assert expected <= checked


def test_a_misspelt_field_would_be_found() -> None:
    schema = definitions()["gateway.envoyproxy.io/v1alpha1", "ClientTrafficPolicy"]
    wrong = {"spec": {"targetRefs": [], "tls": {"minimumVersion": "1.2"}}}
    with pytest.raises(jsonschema.ValidationError, match="minimumVersion"):
        jsonschema.validate(wrong, schema)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_names_and_namespaces_are_explicit(configuration: str) -> None:
    cluster_wide = {
        "Namespace", "GatewayClass", "ClusterRole", "ClusterRoleBinding",
        "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
    }  # fmt: skip
    for found in objects(declared(CONFIGURATIONS[configuration])):
        assert found["metadata"]["name"]
        assert ("namespace" in found["metadata"]) == (found["kind"] not in cluster_wide), found


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_policies_target_the_gateway_and_rules_of_its_routes(configuration: str) -> None:
    """What they name is there; a policy of what is not there is quietly without effect."""
    recording = declared(CONFIGURATIONS[configuration])
    known = {
        (found["kind"], found["metadata"]["name"], section.get("name"))
        for found in objects(recording)
        if found["kind"] in ("Gateway", "HTTPRoute")
        for section in ({}, *found["spec"].get("listeners", ()), *found["spec"].get("rules", ()))
    }
    for found in objects(recording):
        if found["kind"].endswith("Policy") and "targetRefs" in found["spec"]:
            for target in found["spec"]["targetRefs"]:
                assert (target["kind"], target["name"], target.get("sectionName")) in known
