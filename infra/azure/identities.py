"""The cluster's two identities, and the little that they may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.custom_role import CustomRole, define_role
from infra.azure.place import Place
from infra.azure.roles import MANAGED_IDENTITY_OPERATOR, NETWORK_CONTRIBUTOR, Grant, assign
from infra.azure.user_identity import user_identity

ADDRESS_READER = CustomRole(
    title="address reader",
    description="May find the public addresses of the scoring stack.",
    actions=("Microsoft.Network/publicIPAddresses/read",),
)
SERVICE_PRINCIPAL = azure.authorization.PrincipalType.SERVICE_PRINCIPAL


@dataclass(frozen=True)
class ClusterIdentitiesArgs:
    """What :class:`ClusterIdentities` needs.

    Attributes:
        place: where it goes.
        nodes_subnet_id: the subnet in which the control plane puts nodes.
        gateway_address_id: the public address that it puts on the gateway's load balancer; None
            where a firewall in front has the address.
    """

    place: Place
    nodes_subnet_id: pulumi.Input[str]
    gateway_address_id: pulumi.Input[str] | None


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
        control_plane = user_identity(f"{name}-control-plane", args.place, "control-plane", self)
        kubelet = user_identity(f"{name}-kubelet", args.place, "kubelet", self)
        self._place, self._principal_id = args.place, control_plane.principal_id
        self.ready = [
            self._grant(
                f"{name}-control-plane-operator",
                MANAGED_IDENTITY_OPERATOR,
                kubelet.id,
                "The control plane gives the nodes their identity.",
            ),
            self._grant(
                f"{name}-control-plane-subnet",
                NETWORK_CONTRIBUTOR,
                args.nodes_subnet_id,
                "The control plane puts nodes and load balancers into their subnet.",
            ),
        ]
        if args.gateway_address_id is not None:
            self.ready += self._lend_address(name, args.gateway_address_id)
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

    def _grant(
        self,
        name: str,
        role_id: str,
        scope: pulumi.Input[str],
        description: str,
        depends_on: Sequence[pulumi.Resource] = (),
    ) -> pulumi.Resource:
        return assign(
            name,
            self._place,
            Grant(role_id, scope, self._principal_id, SERVICE_PRINCIPAL, description),
            pulumi.ResourceOptions(parent=self, depends_on=list(depends_on)),
        )

    def _lend_address(self, name: str, address_id: pulumi.Input[str]) -> list[pulumi.Resource]:
        """The right to put one public address on a load balancer, and to find it.

        Azure's cloud provider looks for an address by listing those of its resource group
        (github.com/kubernetes-sigs/cloud-provider-azure, the public address cache), so that a
        role on the address alone leaves the load balancer pending. Network Contributor on the
        group would do, and would open the whole network.
        """
        place = self._place
        reader = define_role(f"{name}-address-reader", place, ADDRESS_READER, self)
        return [
            self._grant(
                f"{name}-control-plane-addresses",
                ADDRESS_READER.id(place),
                place.resource_group_id,
                "The control plane finds the gateway's public address.",
                [reader],
            ),
            self._grant(
                f"{name}-control-plane-address",
                NETWORK_CONTRIBUTOR,
                address_id,
                "The control plane puts the public address on the gateway's load balancer.",
            ),
        ]
