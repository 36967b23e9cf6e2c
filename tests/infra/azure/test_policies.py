from __future__ import annotations

from typing import Any

import pytest

from infra.azure.place import Place
from infra.azure.policies import ClusterPolicies, ClusterPoliciesArgs
from infra.recording import Recording, record_component
from infra.sections.security import SecuritySettings
from tests.infra.azure.cluster_side import azure_options, inputs_of


def record_policies(place: Place, **settings: Any) -> Recording:
    security = SecuritySettings.model_validate(settings)
    return record_component(
        lambda: ClusterPolicies(
            "policies", ClusterPoliciesArgs(place, security, "/cluster"), azure_options()
        )
    )


def test_off_declares_nothing_but_says_so(place: Place) -> None:
    recording = record_policies(place)
    assert not recording.of_type(":PolicyAssignment")
    assert not recording.of_type(":DeploymentSafeguard")
    assert recording.one(":ClusterPolicies").outputs == {"pod_security": "off", "safeguards": "off"}


@pytest.mark.parametrize(("setting", "effect"), [("audit", "Audit"), ("deny", "Deny")])
def test_restricted_pods(place: Place, setting: str, effect: str) -> None:
    assignment = inputs_of(record_policies(place, azure_policy=setting).one(":PolicyAssignment"))
    assert assignment["parameters"]["effect"] == {"value": effect}
    assert assignment["policyDefinitionId"] == (
        "/providers/Microsoft.Authorization/policySetDefinitions"
        "/42b8ef37-b724-4e24-bbc8-7a7708edfe00"
    )
    assert assignment["enforcementMode"] == "Default"


def test_assigned_where_the_add_on_reads_assignments(place: Place) -> None:
    assignment = record_policies(place, azure_policy="deny").one(":PolicyAssignment")
    assert assignment.inputs["scope"] == f"{place.subscription}/resourceGroups/rg-scoring-test"


def test_services_are_held_to_it_and_azures_own_pods_are_not(place: Place) -> None:
    assignment = inputs_of(record_policies(place, azure_policy="deny").one(":PolicyAssignment"))
    exempt = assignment["parameters"]["excludedNamespaces"]["value"]
    assert "scoring" not in exempt
    assert {"kube-system", "gatekeeper-system", "gpu-resources"} <= set(exempt)


def test_no_capability_may_be_added_or_kept(place: Place) -> None:
    parameters = inputs_of(record_policies(place, azure_policy="deny").one(":PolicyAssignment"))[
        "parameters"
    ]
    assert parameters["allowedCapabilities"] == {"value": []}
    assert parameters["requiredDropCapabilities"] == {"value": ["ALL"]}


@pytest.mark.parametrize("level", ["Warn", "Enforce"])
def test_safeguards(place: Place, level: str) -> None:
    safeguard = record_policies(place, safeguards=level).one(":DeploymentSafeguard")
    assert safeguard.inputs["level"] == level
    assert safeguard.inputs["resourceUri"] == "/cluster"
    assert "scoring" not in str(safeguard.inputs["excludedNamespaces"])
