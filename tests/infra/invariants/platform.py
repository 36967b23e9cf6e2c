"""What holds for the resources in Azure, together."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterator

import pulumi_azure_native as azure_native
from pulumi import _types as sdk_types

from infra.recording import Recorded, Recording
from tests.infra.invariants.looking import at, azure

DIAGNOSED = {
    "azure-native:containerregistry:Registry",
    "azure-native:containerservice:ManagedCluster",
    "azure-native:dashboard:Grafana",
    "azure-native:keyvault:Vault",
    "azure-native:network:ApplicationGateway",
    "azure-native:network:NetworkSecurityGroup",
    "azure-native:network:PublicIPAddress",
    "azure-native:network:VirtualNetwork",
    "azure-native:operationalinsights:Workspace",
}
"""Types with resource logs (learn.microsoft.com/azure/azure-monitor/reference/supported-logs)."""
NAMED_OTHERWISE = {
    "azure-native:authorization:RoleDefinition",  # by an id
    "azure-native:containerservice:DeploymentSafeguard",  # a cluster has exactly one
    "azure-native:resources:ResourceGroup",  # by what names the group of others
}
PLACED_BY = {
    "accountName",
    "privateLinkServiceConnections",
    "registryName",
    "resourceUri",
    "scope",
    "vaultName",
    "virtualNetworkName",
    "workspaceName",
}
"""Inputs that say below which resource one lies, so that it inherits the lock there."""
OUR_TAGS = {"application", "environment", "managed-by", "pulumi-stack"}


def every_resource_that_takes_tags_has_ours(recording: Recording) -> Iterator[str]:
    for resource in azure(recording):
        if _takes_tags(resource.type) and not set(resource.inputs.get("tags") or ()) >= OUR_TAGS:
            yield f"{resource.urn} lacks tags"


def every_resource_with_logs_sends_them(recording: Recording) -> Iterator[str]:
    sent = {
        str(setting.inputs["resourceUri"])
        for setting in recording.of_type("monitor:DiagnosticSetting")
    }
    for resource in azure(recording):
        if resource.type in DIAGNOSED and f"<output of {resource.urn}.id>" not in sent:
            yield f"{resource.urn} has no diagnostic setting"


def no_azure_name_is_left_to_pulumi(recording: Recording) -> Iterator[str]:
    """A name made up by Pulumi has random letters at its end."""
    for resource in azure(recording):
        names = [key for key in resource.inputs if key.endswith("Name") or key == "name"]
        if resource.type not in NAMED_OTHERWISE and not set(names) - {"resourceGroupName"}:
            yield f"{resource.urn} has no name of its own"


def no_networks_overlap(recording: Recording) -> Iterator[str]:
    networks = dict(_subnets(recording))
    for cluster in recording.of_type("containerservice:ManagedCluster"):
        for field in ("podCidr", "serviceCidr"):
            networks[field] = ipaddress.IPv4Network(at(cluster.inputs, f"networkProfile.{field}"))
    for (one, first), (other, second) in itertools.combinations(networks.items(), 2):
        if first.overlaps(second):
            yield f"{one} {first} overlaps {other} {second}"


def every_subnet_lies_in_the_network(recording: Recording) -> Iterator[str]:
    spaces = [
        ipaddress.IPv4Network(prefix)
        for network in recording.of_type("network:VirtualNetwork")
        for prefix in at(network.inputs, "addressSpace.addressPrefixes")
    ]
    for name, subnet in _subnets(recording):
        if not any(subnet.subnet_of(space) for space in spaces):
            yield f"{name} {subnet} lies outside the network"


def the_dns_service_lies_in_the_service_range(recording: Recording) -> Iterator[str]:
    for cluster in recording.of_type("containerservice:ManagedCluster"):
        profile = at(cluster.inputs, "networkProfile")
        services = ipaddress.IPv4Network(profile["serviceCidr"])
        if ipaddress.IPv4Address(profile["dnsServiceIP"]) not in services:
            yield f"{profile['dnsServiceIP']} lies outside {services}"


def every_role_assignment_says_why(recording: Recording) -> Iterator[str]:
    for assignment in recording.of_type("authorization:RoleAssignment"):
        if not assignment.inputs.get("description"):
            yield f"{assignment.urn} does not say why"
        if not assignment.inputs.get("principalType"):
            yield f"{assignment.urn} would fail on a principal that is minutes old"


def no_two_role_assignments_share_a_name(recording: Recording) -> Iterator[str]:
    seen: dict[str, Recorded] = {}
    for assignment in recording.of_type("authorization:RoleAssignment"):
        name = str(assignment.inputs["roleAssignmentName"])
        if name in seen:
            yield f"{assignment.urn} and {seen[name].urn} share the name {name}"
        seen[name] = assignment


def every_lock_comes_after_what_it_holds_back(recording: Recording) -> Iterator[str]:
    """And so goes before it on `destroy`; and nothing may wait for a lock, which would turn that."""
    locks = {lock.urn: lock for lock in recording.of_type("authorization:ManagementLockByScope")}
    for lock in locks.values():
        after = set(lock.options.depends_on)
        for resource in _below(recording, lock.parent):
            if resource.urn not in after | set(locks):
                yield f"{lock.urn} does not wait for {resource.urn}"
    for resource in recording.resources:
        if not set(locks).isdisjoint(resource.options.depends_on):
            yield f"{resource.urn} waits for a lock"


def _below(recording: Recording, urn: str) -> Iterator[Recorded]:
    """What lies below a resource in Azure, directly or not."""
    for resource in azure(recording):
        by_property = resource.options.property_dependencies
        if any(urn in by_property.get(key, ()) for key in PLACED_BY):
            yield resource
            yield from _below(recording, resource.urn)


def _subnets(recording: Recording) -> list[tuple[str, ipaddress.IPv4Network]]:
    return [
        (str(subnet["name"]), ipaddress.IPv4Network(subnet["addressPrefix"]))
        for network in recording.of_type("network:VirtualNetwork")
        for subnet in at(network.inputs, "subnets")
    ]


def _takes_tags(type_: str) -> bool:
    _, module, name = type_.split(":")
    return "tags" in sdk_types.resource_types(getattr(getattr(azure_native, module), name))


INVARIANTS = (
    every_resource_that_takes_tags_has_ours,
    every_resource_with_logs_sends_them,
    no_azure_name_is_left_to_pulumi,
    no_networks_overlap,
    every_subnet_lies_in_the_network,
    the_dns_service_lies_in_the_service_range,
    every_role_assignment_says_why,
    no_two_role_assignments_share_a_name,
    every_lock_comes_after_what_it_holds_back,
)
