"""Kubernetes roles of people: who may look, and who may scale and restart.

Administrators need no role here: AKS gives the settings' admin groups everything. Groups are known
by object id. AKS knows a person of its own tenant by user principal name and a guest by object id
(learn.microsoft.com/azure/aks/azure-ad-rbac).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_kubernetes as kubernetes

from infra.kubernetes.namespaces import Namespaces
from infra.kubernetes.object_meta import object_meta
from infra.kubernetes.operator_limits import OperatorLimits, OperatorLimitsArgs
from infra.sections.access import AccessSettings

rbac = kubernetes.rbac.v1

RBAC_GROUP = "rbac.authorization.k8s.io"
OPERATOR = "realtime-scoring-operator"
READER = "realtime-scoring-reader"
LOOK = ["get", "list", "watch"]
NAME_CHARACTERS = 8
"""Of an object id in a resource's name, enough to tell groups apart."""


@dataclass(frozen=True)
class Rights:
    """Verbs on resources of one API group."""

    group: str
    resources: tuple[str, ...]
    verbs: Sequence[str] = tuple(LOOK)

    def rule(self) -> kubernetes.rbac.v1.PolicyRuleArgs:
        """As a rule of a role."""
        return rbac.PolicyRuleArgs(
            api_groups=[self.group], resources=list(self.resources), verbs=list(self.verbs)
        )


WORKLOAD_RIGHTS = (
    Rights(
        "",
        (
            "configmaps", "endpoints", "events", "limitranges", "persistentvolumeclaims", "pods",
            "pods/log", "pods/status", "resourcequotas", "serviceaccounts", "services",
        ),
    ),
    Rights("acme.cert-manager.io", ("challenges", "orders")),
    Rights("apps", ("daemonsets", "deployments", "replicasets", "statefulsets")),
    Rights("autoscaling", ("horizontalpodautoscalers",)),
    Rights("batch", ("cronjobs", "jobs")),
    Rights("cert-manager.io", ("certificaterequests", "certificates", "issuers")),
    Rights("discovery.k8s.io", ("endpointslices",)),
    Rights("events.k8s.io", ("events",)),
    Rights(
        "gateway.envoyproxy.io",
        ("backendtrafficpolicies", "clienttrafficpolicies", "envoyproxies", "securitypolicies"),
    ),
    Rights("gateway.networking.k8s.io", ("gateways", "httproutes")),
    Rights("keda.sh", ("scaledobjects", "triggerauthentications")),
    Rights("metrics.k8s.io", ("pods",)),
    Rights("networking.k8s.io", ("networkpolicies",)),
    Rights("policy", ("poddisruptionbudgets",)),
)  # fmt: skip
"""What both may see in a namespace: never secrets, and nothing that runs a command in a pod."""

CLUSTER_RIGHTS = (
    Rights("", ("namespaces", "nodes", "persistentvolumes")),
    Rights("gateway.networking.k8s.io", ("gatewayclasses",)),
    Rights("metrics.k8s.io", ("nodes",)),
    Rights(RBAC_GROUP, ("clusterrolebindings", "clusterroles", "rolebindings", "roles")),
    Rights("scheduling.k8s.io", ("priorityclasses",)),
    Rights("storage.k8s.io", ("storageclasses",)),
)
"""What readers see besides, in the whole cluster."""

OPERATIONS = (
    # Restarting is a patch of the Deployment's annotations, which a role cannot allow alone, nor
    # an autoscaler's bounds: OperatorLimits refuses all that a patch could do besides.
    Rights("apps", ("deployments",), ("patch",)),
    Rights("apps", ("deployments/scale",), ("get", "patch", "update")),
    # Where an autoscaler owns the number of pods, its bounds are what can be scaled.
    Rights("autoscaling", ("horizontalpodautoscalers",), ("patch",)),
    Rights("keda.sh", ("scaledobjects",), ("patch",)),
    Rights("", ("pods",), ("delete",)),
)
"""What operators may do in the services' namespace."""


@dataclass(frozen=True)
class ClusterRolesArgs:
    """Who gets a role."""

    access: AccessSettings
    namespaces: Namespaces


@dataclass(frozen=True)
class _Subject:
    kind: Literal["Group", "User"]
    object_id: str
    user_principal_name: str | None = None

    @property
    def short_name(self) -> str:
        return f"{self.kind.lower()}-{self.object_id[:NAME_CHARACTERS]}"

    @property
    def known_as(self) -> str:
        """What the API server gets as the name."""
        return self.user_principal_name or self.object_id

    def subject(self) -> kubernetes.rbac.v1.SubjectArgs:
        return rbac.SubjectArgs(api_group=RBAC_GROUP, kind=self.kind, name=self.known_as)


class ClusterRoles(pulumi.ComponentResource):
    """Roles, and a binding for each group and user, so that one can go without the others."""

    def __init__(
        self, name: str, args: ClusterRolesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:kubernetes:ClusterRoles", name, None, opts)
        access = args.access
        operators = [
            *(_Subject("Group", group) for group in dict.fromkeys(access.operator_groups)),
            *(
                _Subject("User", user.object_id, user.user_principal_name)
                for user in access.operator_users
            ),
        ]
        readers = [_Subject("Group", group) for group in dict.fromkeys(access.reader_groups)]
        if operators:
            limits = OperatorLimits(
                f"{name}-limits",
                _limits(args, operators),
                pulumi.ResourceOptions(parent=self),
            )
            self._operators(f"{name}-operator", args.namespaces.services, operators, limits)
        if readers:
            self._readers(f"{name}-reader", readers)
        self.register_outputs(
            {
                "operators": [subject.known_as for subject in operators],
                "readers": [subject.known_as for subject in readers],
            }
        )

    def _operators(
        self,
        name: str,
        namespace: pulumi.Input[str],
        subjects: Sequence[_Subject],
        limits: OperatorLimits,
    ) -> None:
        role = rbac.Role(
            name,
            metadata=object_meta(OPERATOR, namespace),
            rules=[rights.rule() for rights in (*WORKLOAD_RIGHTS, *OPERATIONS)],
            opts=pulumi.ResourceOptions(parent=self),
        )
        for subject in subjects:
            rbac.RoleBinding(
                f"{name}-{subject.short_name}",
                metadata=object_meta(f"{OPERATOR}-{subject.short_name}", namespace),
                role_ref=rbac.RoleRefArgs(api_group=RBAC_GROUP, kind="Role", name=OPERATOR),
                subjects=[subject.subject()],
                # Nobody may patch before the limits are there.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[role, limits]),
            )

    def _readers(self, name: str, subjects: Sequence[_Subject]) -> None:
        role = rbac.ClusterRole(
            name,
            metadata=object_meta(READER),
            rules=[rights.rule() for rights in (*WORKLOAD_RIGHTS, *CLUSTER_RIGHTS)],
            opts=pulumi.ResourceOptions(parent=self),
        )
        for subject in subjects:
            rbac.ClusterRoleBinding(
                f"{name}-{subject.short_name}",
                metadata=object_meta(f"{READER}-{subject.short_name}"),
                role_ref=rbac.RoleRefArgs(api_group=RBAC_GROUP, kind="ClusterRole", name=READER),
                subjects=[subject.subject()],
                opts=pulumi.ResourceOptions(parent=self, depends_on=[role]),
            )


def _limits(args: ClusterRolesArgs, operators: Sequence[_Subject]) -> OperatorLimitsArgs:
    return OperatorLimitsArgs(
        args.namespaces.services,
        users=[subject.known_as for subject in operators if subject.kind == "User"],
        groups=[subject.known_as for subject in operators if subject.kind == "Group"],
        exempt_groups=args.access.cluster_admin_groups,
    )
