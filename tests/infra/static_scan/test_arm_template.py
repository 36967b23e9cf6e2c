"""What the scanner reads is what Azure Resource Manager would be sent."""

from __future__ import annotations

from typing import Any

import pytest

from infra.planning.wire import Secret
from infra.recording import Options, Recorded
from tests.infra.static_scan.arm_template import DEFINITIONS, NotInTheDefinition, template

pytestmark = pytest.mark.skipif(
    not DEFINITIONS.is_dir(), reason="Azure's type definitions (../shared/arm) are not here"
)


def test_lifted_members_go_back_into_properties() -> None:
    inputs = {
        "networkSecurityGroupName": "nsg",
        "resourceGroupName": "rg",
        "location": "westeurope",
        "securityRules": [{"name": "ssh", "access": "Allow", "priority": 100}],
    }
    assert exported("network:NetworkSecurityGroup", inputs) == {
        "type": "Microsoft.Network/networkSecurityGroups",
        "apiVersion": "2024-05-01",
        "name": "nsg",
        "location": "westeurope",
        "properties": {
            "securityRules": [
                {"name": "ssh", "properties": {"access": "Allow", "priority": 100}},
            ]
        },
    }


def test_what_is_not_lifted_stays() -> None:
    vault = exported("keyvault:Vault", {"vaultName": "kv", "properties": {"tenantId": "t"}})
    assert vault["properties"] == {"tenantId": "t"}


def test_identities_become_a_map_again() -> None:
    cluster = exported(
        "containerservice:ManagedCluster",
        {"identity": {"type": "UserAssigned", "userAssignedIdentities": ["/id"]}},
    )
    assert cluster["identity"]["userAssignedIdentities"] == {"/id": {}}


def test_names_that_azure_native_changed_are_changed_back() -> None:
    account = exported("storage:StorageAccount", {"enableHttpsTrafficOnly": True})
    assert account["properties"] == {"supportsHttpsTrafficOnly": True}


def test_a_child_is_named_as_in_the_program() -> None:
    pool = exported(
        "containerservice:AgentPool",
        {"agentPoolName": "gpu", "resourceName": "aks", "vmSize": "Standard_D4s_v5"},
    )
    assert pool["name"] == "component-thing"
    assert pool["properties"] == {"vmSize": "Standard_D4s_v5"}


def test_a_secret_is_not_shown() -> None:
    secret = exported("keyvault:Secret", {"properties": {"value": Secret("hidden")}})
    assert secret["properties"] == {"value": "<secret>"}


@pytest.mark.parametrize("type_", ["network:Unheard", "network:NetworkSecurityGroup"])
def test_nothing_is_lost_in_silence(type_: str) -> None:
    with pytest.raises(NotInTheDefinition):
        exported(type_, {"misspelt": ["value"]})


def exported(type_: str, inputs: dict[str, Any]) -> dict[str, Any]:
    token = f"azure-native:{type_}"
    urn = f"urn:pulumi:dev::realtime-scoring::{token}::component-thing"
    recorded = Recorded(token, "component-thing", urn, "", inputs, Options(), custom=True)
    return template([recorded])["resources"][0]
