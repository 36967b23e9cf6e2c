"""The cluster side of a stack, from settings as a stack file has them."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_azure_native as azure

from infra.azure.cluster import Cluster, ClusterArgs
from infra.azure.identities import ClusterIdentities, ClusterIdentitiesArgs
from infra.azure.network import Network, NetworkArgs
from infra.azure.place import Place
from infra.recording import Recorded, Recording, record_component
from infra.settings import Settings, read_settings
from tests.infra.conftest import SUBSCRIPTION, TENANT

ADDRESS_ID = "<the gateway's address>"
WORKSPACE_ID = "<the workspace>"
PROVIDER = "urn:pulumi:test::realtime-scoring::pulumi:providers:azure-native::azure"
Inputs = Any
"""What a recording holds is as deep as Azure's API; tests reach into it."""


def group(number: int) -> str:
    """An Entra object id."""
    return f"{number:08d}-0000-0000-0000-000000000000"


def settings_of(**values: Any) -> Settings:
    """Settings of a stack that is otherwise as the defaults are."""
    return read_settings({"subscription_id": SUBSCRIPTION, "tenant_id": TENANT, **values})


def azure_options() -> pulumi.ResourceOptions:
    """Options with the provider that a stack gives its components."""
    provider = azure.Provider("azure", subscription_id=SUBSCRIPTION, tenant_id=TENANT)
    return pulumi.ResourceOptions(provider=provider)


_recordings: dict[str, Recording] = {}
"""A recording costs a good part of a second, and many tests look at the same."""


def record_cluster(place: Place, settings: Settings) -> Recording:
    """The cluster with its network and identities."""
    key = f"{place!r} {settings.model_dump_json()}"
    if key not in _recordings:
        _recordings[key] = _record_cluster(place, settings)
    return _recordings[key]


def _record_cluster(place: Place, settings: Settings) -> Recording:
    def build() -> None:
        opts = azure_options()
        network = Network(
            "network",
            NetworkArgs(
                place,
                settings.network,
                zones=settings.cluster.zones,
                workspace_id=WORKSPACE_ID,
                wants_endpoints=False,
                wants_firewall=False,
            ),
            opts,
        )
        identities = ClusterIdentities(
            "identities", ClusterIdentitiesArgs(place, network.nodes_subnet_id, ADDRESS_ID), opts
        )
        Cluster("cluster", ClusterArgs(place, settings, network, identities, WORKSPACE_ID), opts)

    return record_component(build)


def cluster_of(place: Place, **values: Any) -> Recorded:
    """The managed cluster alone."""
    return record_cluster(place, settings_of(**values)).one(":ManagedCluster")


def inputs_of(resource: Recorded) -> Inputs:
    """The inputs, for tests that reach deep into them."""
    return dict(resource.inputs)
