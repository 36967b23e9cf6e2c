"""Settings of who may do what."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from infra.sections.base import Guid, Section, UserPrincipalName


class UserSettings(Section):
    """A person, as Azure and as the cluster know them.

    Azure's role assignments take object ids only. In the cluster, AKS knows people of its own
    tenant by user principal name, and guests by object id
    (learn.microsoft.com/azure/aks/azure-ad-rbac). Neither can be told from the other without
    asking Entra, so that both are settings.
    """

    object_id: Guid = Field(description="the user's object id in Entra")
    user_principal_name: UserPrincipalName | None = Field(
        default=None,
        description="the name with which the user signs in, in the very spelling of Entra: by it "
        "AKS knows people of the cluster's own tenant; leave it out for guests, whom it knows by "
        "object id",
    )


class AccessSettings(Section):
    """Entra groups, users and identities, by object id."""

    cluster_admin_groups: tuple[Guid, ...] = Field(
        default=(), description="groups that may do everything in the cluster"
    )
    operator_groups: tuple[Guid, ...] = Field(
        default=(),
        description="groups that may restart and scale the services and read their logs; in a "
        "Deployment they can change nothing else, neither images nor what is mounted, and in an "
        "autoscaler its bounds alone",
    )
    operator_users: tuple[UserSettings, ...] = Field(
        default=(), description="single users with the rights of operator_groups"
    )
    reader_groups: tuple[Guid, ...] = Field(
        default=(), description="groups that may look at everything but secrets"
    )
    azure_operator_groups: tuple[Guid, ...] = Field(
        default=(),
        description="groups that may start, stop and scale the cluster in Azure by the stack's "
        "custom role, and nothing else",
    )
    image_pushers: tuple[Guid, ...] = Field(
        default=(), description="service principals, such as CI's, that may push images"
    )
    sign_in: Literal["azurecli", "workloadidentity", "spn", "msi"] = Field(
        default="azurecli",
        description="how kubelogin signs `pulumi` in at the cluster: azurecli for people, "
        "workloadidentity for CI",
    )
