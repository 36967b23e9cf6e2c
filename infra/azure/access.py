"""Who may do what with the cluster, by Azure's roles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.custom_role import define_role
from infra.azure.operator_role import CLUSTER_OPERATOR
from infra.azure.place import Place
from infra.azure.roles import (
    CLUSTER_RBAC_ADMIN,
    CLUSTER_RBAC_READER,
    CLUSTER_USER,
    Grant,
    assign,
)
from infra.kubernetes.places import SERVICES_NAMESPACE
from infra.sections.access import AccessSettings

GROUP = azure.authorization.PrincipalType.GROUP
USER = azure.authorization.PrincipalType.USER


@dataclass(frozen=True)
class ClusterAccessArgs:
    """What :class:`ClusterAccess` needs.

    Attributes:
        place: where it goes.
        settings: groups and users.
        cluster_id: the cluster.
    """

    place: Place
    settings: AccessSettings
    cluster_id: pulumi.Input[str]


class ClusterAccess(pulumi.ComponentResource):
    """Role assignments on the cluster, and the stack's custom role.

    Everybody named gets *Cluster User*, which is the kubeconfig and nothing more. Then admins get
    everything in the cluster; readers may look at everything but secrets; operators at what is in
    the services' namespace. What operators may change there, Kubernetes' own roles say
    (:mod:`infra.kubernetes.access`), which can tell a Deployment's scale from the Deployment. Those
    who operate the cluster in Azure have the custom role alone.

    Attributes:
        assignments: the role assignments, for what must wait for them.
    """

    assignments: list[azure.authorization.RoleAssignment]

    def __init__(
        self, name: str, args: ClusterAccessArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:ClusterAccess", name, None, opts)
        place = args.place
        self.assignments = [
            assign(f"{name}-{key}", place, grant, pulumi.ResourceOptions(parent=self))
            for key, grant in _grants(args)
        ]
        if args.settings.azure_operator_groups:
            self._operators(name, args)
        self.register_outputs({"assignments": len(self.assignments)})

    def _operators(self, name: str, args: ClusterAccessArgs) -> None:
        """At the resource group, not the cluster: whoever scales a pool needs its subnet too."""
        place = args.place
        role = define_role(f"{name}-operator-role", place, CLUSTER_OPERATOR, self)
        for group in args.settings.azure_operator_groups:
            grant = Grant(
                CLUSTER_OPERATOR.id(place),
                place.resource_group_id,
                group,
                GROUP,
                "Starts, stops and scales the scoring cluster.",
            )
            opts = pulumi.ResourceOptions(parent=self, depends_on=[role])
            self.assignments.append(assign(f"{name}-azure-operator-{group}", place, grant, opts))


def _grants(args: ClusterAccessArgs) -> Iterator[tuple[str, Grant]]:
    """Each grant once, with a key that names it: Azure refuses the same assignment twice."""
    settings, cluster_id = args.settings, args.cluster_id
    users = {
        **dict.fromkeys(settings.cluster_admin_groups, GROUP),
        **dict.fromkeys(settings.operator_groups, GROUP),
        **dict.fromkeys(settings.reader_groups, GROUP),
        **dict.fromkeys((user.object_id for user in settings.operator_users), USER),
    }
    for who, kind in users.items():
        yield (
            f"user-{who}",
            Grant(CLUSTER_USER, cluster_id, who, kind, "May fetch the cluster's kubeconfig."),
        )
    for who in dict.fromkeys(settings.cluster_admin_groups):
        yield (
            f"admin-{who}",
            Grant(CLUSTER_RBAC_ADMIN, cluster_id, who, GROUP, "May do everything in the cluster."),
        )
    for who in dict.fromkeys(settings.reader_groups):
        yield (
            f"reader-{who}",
            Grant(
                CLUSTER_RBAC_READER, cluster_id, who, GROUP, "May look at everything but secrets."
            ),
        )
    services = pulumi.Output.concat(cluster_id, "/namespaces/", SERVICES_NAMESPACE)
    operators = {
        **dict.fromkeys(settings.operator_groups, GROUP),
        **dict.fromkeys((user.object_id for user in settings.operator_users), USER),
    }
    for who, kind in operators.items():
        yield (
            f"operator-{who}",
            Grant(
                CLUSTER_RBAC_READER,
                services,
                who,
                kind,
                "May look at the services, not at secrets.",
            ),
        )
