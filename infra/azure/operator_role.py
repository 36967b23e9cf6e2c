"""The stack's own Azure role: to start, stop and scale the cluster, and nothing else."""

from __future__ import annotations

import pulumi
import pulumi_azure_native as azure

from infra.azure.place import Place

ACTIONS = (
    "Microsoft.ContainerService/managedClusters/read",
    "Microsoft.ContainerService/managedClusters/start/action",
    "Microsoft.ContainerService/managedClusters/stop/action",
    "Microsoft.ContainerService/managedClusters/agentPools/read",
    # Azure has no narrower action for scaling: a pool is scaled by writing it with other bounds.
    "Microsoft.ContainerService/managedClusters/agentPools/write",
    # Whoever writes a pool must be allowed the subnet that it names.
    "Microsoft.Network/virtualNetworks/subnets/join/action",
)
"""Without deleting anything, without credentials, and without a data action: the role gives no
access to what runs in the cluster."""


def declare_operator_role(
    name: str, place: Place, parent: pulumi.Resource
) -> azure.authorization.RoleDefinition:
    """The role, which can be assigned in the stack's resource group alone.

    Args:
        name: Pulumi name of the role.
        place: where it goes.
        parent: the component that declares it.
    """
    scope = place.resource_group_id
    return azure.authorization.RoleDefinition(
        name,
        role_definition_id=place.naming.stable_guid("role-definition", "cluster-operator"),
        role_name=place.naming.tenant_wide("cluster operator"),
        description="May look at, start, stop and scale the scoring cluster.",
        role_type="CustomRole",
        scope=scope,
        assignable_scopes=[scope],
        permissions=[
            azure.authorization.PermissionArgs(
                actions=list(ACTIONS), not_actions=[], data_actions=[], not_data_actions=[]
            )
        ],
        opts=pulumi.ResourceOptions(parent=parent),
    )
