from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from infra.azure.locks import Locks
from infra.azure.network import Network, NetworkArgs
from infra.azure.place import Place
from infra.recording import Recording
from infra.sections.network import NetworkSettings
from tests.infra.azure.locking import record_with_locks

SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111"
VNET = f"{SUBSCRIPTION}/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub"
PLAN = f"{SUBSCRIPTION}/resourceGroups/hub/providers/Microsoft.Network/ddosProtectionPlans/all"
WORKSPACE = (
    f"{SUBSCRIPTION}/resourceGroups/hub/providers/Microsoft.OperationalInsights/workspaces/w"
)


class Declared:
    """A network, what it declared and what it offers to others."""

    def __init__(self, place: Place, *, zones: tuple[str, ...] = (), **wanted: Any) -> None:
        args = NetworkArgs(
            place,
            NetworkSettings.model_validate(wanted.pop("settings", {})),
            zones=zones,
            workspace_id=WORKSPACE,
            wants_endpoints=wanted.pop("endpoints", False),
            wants_firewall=wanted.pop("firewall", False),
        )
        kept: list[Network] = []
        self.recording: Recording = record_with_locks(
            place, lambda: kept.append(Network("network", args))
        )
        self.network = kept[0]

    @property
    def vnet(self) -> dict[str, Any]:
        return dict(self.recording.one(":VirtualNetwork").inputs)

    def subnet(self, name: str) -> dict[str, Any]:
        return next(subnet for subnet in self.vnet["subnets"] if subnet["name"] == name)

    def rules(self, subnet: str) -> dict[str, dict[str, Any]]:
        group = self.recording.one(":NetworkSecurityGroup", f"network-{subnet}-rules")
        reference = f"<output of {group.urn}.id>"
        assert self.subnet(subnet)["networkSecurityGroup"]["id"] == reference
        rules: Any = group.inputs["securityRules"]
        return {rule["name"]: rule for rule in rules}


def _sees(rule: dict[str, Any]) -> tuple[str, str, list[str]]:
    ports = rule.get("destinationPortRanges") or [rule["destinationPortRange"]]
    return rule["access"], rule["sourceAddressPrefix"], ports


def test_the_network_has_one_subnet_unless_more_is_wanted(place: Place) -> None:
    declared = Declared(place)
    assert [subnet["name"] for subnet in declared.vnet["subnets"]] == ["nodes"]
    assert declared.network.endpoints is None
    assert declared.network.gateway_subnet_id is None


def test_every_subnet_lies_where_the_settings_say(place: Place) -> None:
    declared = Declared(place, endpoints=True, firewall=True)
    assert {s["name"]: s["addressPrefix"] for s in declared.vnet["subnets"]} == {
        "nodes": "10.40.0.0/22",
        "endpoints": "10.40.4.0/24",
        "gateway": "10.40.5.0/24",
    }
    assert declared.vnet["addressSpace"] == {"addressPrefixes": ["10.40.0.0/16"]}


def test_subnets_are_declared_inline_only(place: Place) -> None:
    assert not Declared(place, endpoints=True, firewall=True).recording.of_type(":Subnet")


@pytest.mark.parametrize("subnet", ["nodes", "endpoints", "gateway"])
def test_nothing_leaves_a_subnet_unseen(place: Place, subnet: str) -> None:
    declared = Declared(place, endpoints=True, firewall=True)
    assert declared.subnet(subnet)["defaultOutboundAccess"] is False


def test_nodes_go_out_by_the_nat_gateway_and_others_do_not(place: Place) -> None:
    declared = Declared(place, endpoints=True, firewall=True)
    gateway = declared.recording.one(":NatGateway")
    assert declared.subnet("nodes")["natGateway"] == {"id": f"<output of {gateway.urn}.id>"}
    assert "natGateway" not in declared.subnet("endpoints")
    assert "natGateway" not in declared.subnet("gateway")


def test_the_gateway_on_the_nodes_is_open_to_the_internet_on_two_ports(place: Place) -> None:
    rules = Declared(place).rules("nodes")
    assert {name: _sees(rule) for name, rule in rules.items()} == {
        "allow-web": ("Allow", "Internet", ["80", "443"])
    }
    assert rules["allow-web"]["destinationAddressPrefix"] == "*"


def test_behind_a_firewall_nodes_are_closed_to_the_internet(place: Place) -> None:
    rules = Declared(place, firewall=True).rules("nodes")
    assert {name: _sees(rule) for name, rule in rules.items()} == {
        "allow-web": ("Allow", "10.40.5.0/24", ["80", "443"])
    }


def test_private_endpoints_answer_https_and_nothing_else(place: Place) -> None:
    rules = Declared(place, endpoints=True).rules("endpoints")
    assert _sees(rules["allow-https"]) == ("Allow", "VirtualNetwork", ["443"])
    assert _sees(rules["deny-network"]) == ("Deny", "VirtualNetwork", ["*"])
    assert rules["allow-https"]["priority"] < rules["deny-network"]["priority"]


def test_rules_hold_for_private_endpoints_too(place: Place) -> None:
    subnet = Declared(place, endpoints=True).subnet("endpoints")
    assert subnet["privateEndpointNetworkPolicies"] == "NetworkSecurityGroupEnabled"


def test_the_firewall_gets_what_application_gateway_needs(place: Place) -> None:
    rules = Declared(place, firewall=True).rules("gateway")
    assert {name: _sees(rule) for name, rule in rules.items()} == {
        "allow-web": ("Allow", "Internet", ["80", "443"]),
        "allow-gateway-manager": ("Allow", "GatewayManager", ["65200-65535"]),
        "allow-probes": ("Allow", "AzureLoadBalancer", ["*"]),
    }
    assert all(rule["direction"] == "Inbound" for rule in rules.values())


def test_the_network_is_kept(place: Place) -> None:
    recording = Declared(place).recording
    network = recording.one(":VirtualNetwork")
    assert network.options.protect
    lock = recording.one(":ManagementLockByScope", "network-network-lock")
    assert lock.inputs["scope"] == f"<output of {network.urn}.id>"
    assert lock.inputs["level"] == "CanNotDelete"


def test_a_stack_that_protects_nothing_can_be_torn_down(place: Place) -> None:
    recording = Declared(replace(place, protect=False, locks=Locks(wanted=False))).recording
    assert not any(resource.options.protect for resource in recording.resources)
    assert not recording.of_type(":ManagementLockByScope")


def test_without_a_ddos_plan_the_network_has_none(place: Place) -> None:
    declared = Declared(place)
    assert declared.vnet["enableDdosProtection"] is False
    assert "ddosProtectionPlan" not in declared.vnet
    assert declared.network.ddos_plan_id is None


def test_the_network_is_put_under_a_plan_of_its_own(place: Place) -> None:
    declared = Declared(place, settings={"ddos": {"protection": "plan"}})
    plan = declared.recording.one(":DdosProtectionPlan")
    assert declared.vnet["enableDdosProtection"] is True
    assert declared.vnet["ddosProtectionPlan"] == {"id": f"<output of {plan.urn}.id>"}


def test_networks_that_reach_the_private_parts_are_peered_and_told_their_names(
    place: Place,
) -> None:
    declared = Declared(place, endpoints=True, settings={"peered_network_ids": [VNET]})
    peering = declared.recording.one(":VirtualNetworkPeering").inputs
    assert peering["remoteVirtualNetwork"] == {"id": VNET}
    assert peering["allowVirtualNetworkAccess"] is True
    assert peering["allowForwardedTraffic"] is False
    assert declared.network.endpoints is not None
    assert list(declared.network.endpoints.peered_network_ids) == [VNET]


def test_subnets_that_exist_already_are_all_there_is(place: Place) -> None:
    declared = Declared(
        place,
        settings={
            "existing_nodes_subnet_id": f"{VNET}/subnets/nodes",
            "existing_endpoints_subnet_id": f"{VNET}/subnets/private",
        },
        endpoints=True,
    )
    assert [resource.type for resource in declared.recording.resources] == [
        "realtime-scoring:azure:Network"
    ]
    assert declared.recording.resources[0].outputs["nodes_subnet_id"] == f"{VNET}/subnets/nodes"
    assert declared.network.endpoints is not None
    assert declared.network.endpoints.subnet_id == f"{VNET}/subnets/private"
    assert declared.network.endpoints.virtual_network_id == VNET
    assert declared.network.egress_addresses == ()


def test_others_learn_subnets_and_addresses(place: Place) -> None:
    declared = Declared(place, firewall=True, settings={"nat": {"public_ips": 2}})
    network = declared.recording.one(":VirtualNetwork")
    outputs = declared.recording.one("azure:Network").outputs
    assert outputs["nodes_subnet_id"] == f"<output of {network.urn}.id>/subnets/nodes"
    assert outputs["gateway_subnet_id"] == f"<output of {network.urn}.id>/subnets/gateway"
    addresses = declared.recording.of_type(":PublicIPAddress")
    assert outputs["egress_addresses"] == [f"<output of {a.urn}.ipAddress>" for a in addresses]


def test_everything_that_has_logs_sends_them(place: Place) -> None:
    recording = Declared(place, endpoints=True, firewall=True).recording
    sent = {str(r.inputs["resourceUri"]) for r in recording.of_type(":DiagnosticSetting")}
    sources = [
        resource
        for kind in (":VirtualNetwork", ":NetworkSecurityGroup", ":PublicIPAddress")
        for resource in recording.of_type(kind)
    ]
    assert sent == {f"<output of {source.urn}.id>" for source in sources}


def test_security_groups_have_no_metrics_to_send(place: Place) -> None:
    setting = Declared(place).recording.one(":DiagnosticSetting", "network-nodes-rules-diagnostics")
    assert "metrics" not in setting.inputs


@pytest.mark.parametrize("zones", [(), ("1", "2", "3")])
@pytest.mark.parametrize("protection", ["none", "plan"])
def test_azure_takes_every_input(
    place: Place,
    azure_faults: Callable[[Recording], list[str]],
    protection: str,
    zones: tuple[str, ...],
) -> None:
    declared = Declared(
        place,
        zones=zones,
        endpoints=True,
        firewall=True,
        settings={"ddos": {"protection": protection}, "flow_logs": {"enabled": True}},
    )
    assert azure_faults(declared.recording) == []
