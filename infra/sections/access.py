"""Settings of who may do what."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from infra.sections.base import Guid, Section


class AccessSettings(Section):
    """Entra groups, users and identities, by object id."""

    cluster_admin_groups: tuple[Guid, ...] = Field(
        default=(), description="groups that may do everything in the cluster"
    )
    operator_groups: tuple[Guid, ...] = Field(
        default=(), description="groups that may scale and restart the services and read their logs"
    )
    operator_users: tuple[Guid, ...] = Field(
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
