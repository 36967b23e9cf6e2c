"""Ids of the built-in roles that the stack assigns, and how an assignment is made.

Source: learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.place import Place

ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
ACR_PUSH = "8311e382-0749-4cb8-b61a-304f252e45ec"
CLUSTER_USER = "4abbcc35-e782-43d8-92c5-2d3f1bd2253f"
CLUSTER_RBAC_ADMIN = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"
CLUSTER_RBAC_READER = "7f6c6a51-bcf8-42ba-9220-52d62157d7db"
GRAFANA_ADMIN = "22926164-76b3-42b3-bc55-97df8dab3e41"
GRAFANA_VIEWER = "60921a7e-fef1-4a43-9b16-a26c52ad4769"
KEY_VAULT_SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
MANAGED_IDENTITY_OPERATOR = "f1a07417-d97a-45cb-824c-7a7467783830"
MONITORING_DATA_READER = "b0d8363b-8ddd-447d-831f-62ca05bff136"
MONITORING_READER = "43d0d8ad-25c7-4714-9337-8ba259a9fe05"
NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
STORAGE_BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"


@dataclass(frozen=True)
class Grant:
    """One role for one principal at one scope.

    Attributes:
        role_id: GUID of a role: a built-in one, or one that the assignment depends on.
        scope: resource id at which the role holds.
        principal_id: Entra object id of who gets it.
        principal_type: said outright, because a fresh identity may not be found yet.
        description: why, for whoever reads the assignments in Azure.
    """

    role_id: str
    scope: pulumi.Input[str]
    principal_id: pulumi.Input[str]
    principal_type: azure.authorization.PrincipalType
    description: str


def assign(
    name: str, place: Place, grant: Grant, opts: pulumi.ResourceOptions
) -> azure.authorization.RoleAssignment:
    """Assign a role under a name that stays the same when the assignment is made again."""
    assignment = azure.authorization.RoleAssignment(
        name,
        role_assignment_name=place.naming.stable_guid("role-assignment", name),
        role_definition_id=place.role_definition(grant.role_id),
        scope=grant.scope,
        principal_id=grant.principal_id,
        principal_type=grant.principal_type,
        description=grant.description,
        opts=opts,
    )
    place.locks.hold_back(assignment)
    return assignment
