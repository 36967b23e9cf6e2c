"""The stack's own Azure role: to start, stop and scale the cluster, and nothing else."""

from __future__ import annotations

from infra.azure.custom_role import CustomRole

CLUSTER_OPERATOR = CustomRole(
    title="cluster operator",
    description="May look at, start, stop and scale the scoring cluster.",
    actions=(
        "Microsoft.ContainerService/managedClusters/read",
        "Microsoft.ContainerService/managedClusters/start/action",
        "Microsoft.ContainerService/managedClusters/stop/action",
        "Microsoft.ContainerService/managedClusters/agentPools/read",
        # Azure has no narrower action for scaling: a pool is scaled by writing it with other
        # bounds.
        "Microsoft.ContainerService/managedClusters/agentPools/write",
        # Whoever writes a pool must be allowed the subnet that it names.
        "Microsoft.Network/virtualNetworks/subnets/join/action",
    ),
)
"""Without deleting anything, without credentials, and without a data action: the role gives no
access to what runs in the cluster."""
