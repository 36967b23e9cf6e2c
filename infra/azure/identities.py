"""The cluster's two identities, and the little that they may do."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.place import Place
from infra.azure.roles import MANAGED_IDENTITY_OPERATOR, NETWORK_CONTRIBUTOR, Grant, assign

SERVICE_PRINCIPAL = azure.authorization.PrincipalType.SERVICE_PRINCIPAL


@dataclass(frozen=True)
class ClusterIdentitiesArgs:
    """What :class:`ClusterIdentities` needs.

    Attributes:
        place: where it goes.
        nodes_subnet_id: the subnet in which the control plane puts nodes.
        gateway_address_id: the public address that it puts on the gateway's load balancer.
    """

    place: Place
    nodes_subnet_id: pulumi.Input[str]
    gateway_address_id: pulumi.Input[str]


class ClusterIdentities(pulumi.ComponentResource):
    """One identity for the control plane, one for the nodes.

    The identity of the nodes is made here rather than by AKS, so that it can be given its role on
    the registry before there is a cluster
    (learn.microsoft.com/azure/aks/use-managed-identity).

    Attributes:
        control_plane_id: resource id of the control plane's identity.
        kubelet_id: resource id of the nodes' identity.
        kubelet_client_id: its client id.
        kubelet_principal_id: its object id, to which roles are assigned.
        ready: the role assignments without which AKS refuses to make the cluster.
    """

    control_plane_id: pulumi.Output[str]
    kubelet_id: pulumi.Output[str]
    kubelet_client_id: pulumi.Output[str]
    kubelet_principal_id: pulumi.Output[str]
    ready: list[pulumi.Resource]

    def __init__(
        self,
        name: str,
        args: ClusterIdentitiesArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("realtime-scoring:azure:ClusterIdentities", name, None, opts)
        control_plane = self._identity(name, args.place, "control-plane")
        kubelet = self._identity(name, args.place, "kubelet")
        principal_id = control_plane.principal_id
        self.ready = [
            assign(
                f"{name}-control-plane-{what}",
                args.place,
                Grant(role_id, scope, principal_id, SERVICE_PRINCIPAL, description),
                pulumi.ResourceOptions(parent=self),
            )
            for what, role_id, scope, description in (
                (
                    "operator",
                    MANAGED_IDENTITY_OPERATOR,
                    kubelet.id,
                    "The control plane gives the nodes their identity.",
                ),
                (
                    "subnet",
                    NETWORK_CONTRIBUTOR,
                    args.nodes_subnet_id,
                    "The control plane puts nodes and load balancers into their subnet.",
                ),
                (
                    "address",
                    NETWORK_CONTRIBUTOR,
                    args.gateway_address_id,
                    "The control plane puts the public address on the gateway's load balancer.",
                ),
            )
        ]
        self.control_plane_id = control_plane.id
        self.kubelet_id = kubelet.id
        self.kubelet_client_id = kubelet.client_id
        self.kubelet_principal_id = kubelet.principal_id
        self.register_outputs(
            {
                "control_plane_id": self.control_plane_id,
                "kubelet_id": self.kubelet_id,
                "kubelet_client_id": self.kubelet_client_id,
                "kubelet_principal_id": self.kubelet_principal_id,
            }
        )

    def _identity(
        self, name: str, place: Place, role: str
    ) -> azure.managedidentity.UserAssignedIdentity:
        return azure.managedidentity.UserAssignedIdentity(
            f"{name}-{role}",
            resource_name_=place.naming.resource("id", role),
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=place.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
