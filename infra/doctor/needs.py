"""What a stack needs of Azure, read off the program's own recording."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from infra.planning.inputs import text_at, value_at
from infra.planning.monitor import Recorded
from infra.planning.node_pools import CLUSTER, NodePool, node_pools
from infra.planning.resource_types import (
    PACKAGE,
    is_azure,
    is_known,
    resource_types_of,
)
from infra.planning.wire import Value
from infra.recording import Recording
from infra.settings import Settings

_GROUP = re.compile(r"/subscriptions/[^/]+/resourceGroups/[^/]+", re.IGNORECASE)
_RESOURCE = re.compile(
    r"(?P<group>/subscriptions/[^/]+/resourceGroups/[^/]+)/providers/(?P<path>.+)"
)
_SUBSCRIPTION = re.compile(r"/subscriptions/[^/]+", re.IGNORECASE)
_SUBSCRIPTION_TYPES = {
    f"{PACKAGE}resources:ResourceGroup",
    f"{PACKAGE}resources:DeploymentAtSubscriptionScope",
}

FURTHER_ACTIONS: Mapping[str, tuple[str, ...]] = {
    # Whoever points one resource at another needs a right on the other one.
    "Microsoft.Network/virtualNetworks": ("Microsoft.Network/virtualNetworks/subnets/join/action",),
    "Microsoft.Network/publicIPAddresses": ("Microsoft.Network/publicIPAddresses/join/action",),
    "Microsoft.Network/natGateways": ("Microsoft.Network/natGateways/join/action",),
    "Microsoft.Network/networkSecurityGroups": (
        "Microsoft.Network/networkSecurityGroups/join/action",
    ),
    "Microsoft.Network/ddosProtectionPlans": ("Microsoft.Network/ddosProtectionPlans/join/action",),
    "Microsoft.ManagedIdentity/userAssignedIdentities": (
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    ),
    # The program fetches the cluster's kubeconfig for the services layer.
    "Microsoft.ContainerService/managedClusters": (
        "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
    ),
}
"""What making a resource needs beside ``TYPE/write``.

Source: learn.microsoft.com/azure/role-based-access-control/resource-provider-operations.
"""

LINK_ACTIONS: Mapping[str, str] = {
    "Microsoft.ManagedIdentity/userAssignedIdentities": "assign/action",
    "Microsoft.Network/ddosProtectionPlans": "join/action",
    "Microsoft.Network/privateDnsZones": "join/action",
    "Microsoft.Network/virtualNetworks": "peer/action",
    "Microsoft.Network/virtualNetworks/subnets": "join/action",
}
"""What pointing at a resource that exists already needs on it, from the same source."""

FURTHER_PROVIDERS: Mapping[str, tuple[str, ...]] = {
    # A cluster's nodes are scale sets, its way out and in are load balancers.
    "Microsoft.ContainerService/managedClusters": ("Microsoft.Compute", "Microsoft.Network"),
    "Microsoft.Authorization/policyAssignments": ("Microsoft.PolicyInsights",),
}
ADD_ON_PROVIDERS = {
    "omsagent": "Microsoft.OperationsManagement",
    "azurepolicy": "Microsoft.PolicyInsights",
}
"""Providers that AKS' add-ons need (learn.microsoft.com/azure/aks/integrations)."""


@dataclass(frozen=True)
class Named:
    """A resource that may be there already.

    Attributes:
        resource_group: where the stack puts it.
        name: as the stack names it.
    """

    resource_group: str
    name: str


@dataclass(frozen=True)
class Needs:
    """What a stack needs.

    Attributes:
        subscription_id: where it is made; None for a stack without Azure.
        resource_group: the stack's own; None where another stack makes it.
        regions: the stack's and those of replicas.
        pools: node pools.
        cluster: the AKS cluster; None where the stack makes none.
        counts: number of resources by Azure Resource Manager's type.
        providers: resource providers that must be registered.
        actions: what whoever deploys must be allowed, by scope.
        unknown_types: Azure types of which nothing is known here.
        registries, vaults, storage_accounts: names that all of Azure shares.
        builds_images: whether `pulumi up` builds and pushes.
    """

    subscription_id: str | None
    resource_group: str | None
    regions: tuple[str, ...]
    pools: tuple[NodePool, ...]
    cluster: Named | None
    counts: Mapping[str, int]
    providers: tuple[str, ...]
    actions: Mapping[str, tuple[str, ...]]
    unknown_types: tuple[str, ...]
    registries: tuple[Named, ...]
    vaults: tuple[Named, ...]
    storage_accounts: tuple[Named, ...]
    builds_images: bool


def needs_of(settings: Settings, recording: Recording) -> Needs:
    """What the recorded program needs."""
    azure = [resource for resource in recording.resources if is_azure(resource)]
    group = next(iter(_named(azure, "resources:ResourceGroup", "resourceGroupName")), None)
    own = group.name if group else None
    types = [type_ for resource in azure for type_ in resource_types_of(resource)]
    cluster = _named(azure, "containerservice:ManagedCluster", "resourceName")
    return Needs(
        subscription_id=settings.subscription_id if azure else None,
        resource_group=own,
        regions=tuple(sorted({*_regions(azure), settings.location})) if azure else (),
        pools=node_pools(recording),
        cluster=cluster[0] if cluster else None,
        counts={type_: types.count(type_) for type_ in sorted(set(types))},
        providers=tuple(sorted({*_providers(types), *_add_on_providers(azure)})),
        actions=_actions(azure, f"/subscriptions/{settings.subscription_id}", own),
        unknown_types=tuple(sorted({one.type for one in azure if not is_known(one)})),
        registries=_named(azure, "containerregistry:Registry", "registryName"),
        vaults=_named(azure, "keyvault:Vault", "vaultName"),
        storage_accounts=_named(azure, "storage:StorageAccount", "accountName"),
        builds_images=bool(recording.of_type("docker:index/image:Image")),
    )


def _named(azure: list[Recorded], type_: str, key: str) -> tuple[Named, ...]:
    return tuple(
        Named(text_at(one, "resourceGroupName") or "", text_at(one, key) or "")
        for one in azure
        if one.type == f"{PACKAGE}{type_}"
    )


def _regions(azure: list[Recorded]) -> Iterator[str]:
    for resource in azure:
        region = text_at(resource, "location")
        if region is not None and region.isalnum() and region.lower() != "global":
            yield region


def _providers(types: Iterable[str]) -> Iterator[str]:
    for type_ in types:
        yield type_.partition("/")[0]
        yield from FURTHER_PROVIDERS.get(type_, ())


def _add_on_providers(azure: list[Recorded]) -> Iterator[str]:
    for cluster in azure:
        if cluster.type == CLUSTER:
            for add_on, provider in ADD_ON_PROVIDERS.items():
                if value_at(cluster, "addonProfiles", add_on, "enabled"):
                    yield provider


def _actions(
    azure: list[Recorded], subscription: str, own_group: str | None
) -> dict[str, tuple[str, ...]]:
    by_scope: dict[str, set[str]] = defaultdict(set)
    for resource in azure:
        scope = _scope(resource, subscription, own_group)
        for type_ in resource_types_of(resource):
            by_scope[scope] |= {f"{type_}/write", *FURTHER_ACTIONS.get(type_, ())}
        for group, action in _links(dict(resource.inputs)):
            by_scope[group].add(action)
    return {scope: tuple(sorted(actions)) for scope, actions in sorted(by_scope.items())}


def _links(value: Value) -> Iterator[tuple[str, str]]:
    """Resources of others that a resource points at: their group, and the right it needs there."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _links(inner)
    elif isinstance(value, str) and (linked := _RESOURCE.fullmatch(value)):
        # Namespace, type, name, type, name …: the types are every second part.
        namespace, *rest = linked["path"].split("/")
        type_ = "/".join((namespace, *rest[::2]))
        if type_ in LINK_ACTIONS:
            yield linked["group"], f"{type_}/{LINK_ACTIONS[type_]}"


def _scope(resource: Recorded, subscription: str, own_group: str | None) -> str:
    """The resource group or subscription in which a resource is made.

    What is put on another resource (a role, a lock) is made there.
    """
    if resource.type in _SUBSCRIPTION_TYPES:
        return subscription
    for key in ("scope", "resourceUri"):
        on = text_at(resource, key)
        if on is not None and on.startswith("/"):
            return (_GROUP.match(on) or _SUBSCRIPTION.match(on) or [subscription])[0]
    group = text_at(resource, "resourceGroupName") or own_group
    if group is None or not re.fullmatch(r"[\w.()-]+", group):
        # Another stack's group, whose name only a run knows.
        return subscription
    return f"{subscription}/resourceGroups/{group}"
