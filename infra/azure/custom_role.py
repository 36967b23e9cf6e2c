"""Roles of the stack's own, where Azure's built-in ones allow too much."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.place import Place


@dataclass(frozen=True)
class CustomRole:
    """What a role is called and what it allows; it never has a data action.

    Attributes:
        title: last part of its name, unique among the stack's roles.
        description: what its holders may do.
        actions: Azure's names of it.
    """

    title: str
    description: str
    actions: tuple[str, ...]

    def id(self, place: Place) -> str:
        """The role's GUID, the same whenever it is made again."""
        return place.naming.stable_guid("role-definition", self.title.replace(" ", "-"))


def define_role(
    name: str, place: Place, role: CustomRole, parent: pulumi.Resource
) -> azure.authorization.RoleDefinition:
    """Declare a role, which can be assigned in the stack's resource group alone.

    Args:
        name: Pulumi name of the role.
        place: where it goes.
        role: what it allows.
        parent: the component that declares it.
    """
    scope = place.resource_group_id
    return azure.authorization.RoleDefinition(
        name,
        role_definition_id=role.id(place),
        role_name=place.naming.tenant_wide(role.title),
        description=role.description,
        role_type="CustomRole",
        scope=scope,
        assignable_scopes=[scope],
        permissions=[
            azure.authorization.PermissionArgs(
                actions=list(role.actions), not_actions=[], data_actions=[], not_data_actions=[]
            )
        ],
        opts=pulumi.ResourceOptions(parent=parent),
    )
