"""Where a component's Azure resources go, and what they all have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from infra.azure.locks import Locks
from infra.naming import Naming


@dataclass(frozen=True)
class Place:
    """Passed to every Azure component.

    Attributes:
        naming: names of the stack's resources.
        location: Azure region.
        subscription_id: the subscription.
        tenant_id: the Entra tenant.
        tags: of every resource that takes tags.
        resource_group_name: the stack's resource group.
        protect: whether Pulumi refuses to delete what holds data or names.
        locks: where Azure refuses too.
    """

    naming: Naming
    location: str
    subscription_id: str
    tenant_id: str
    tags: Mapping[str, str]
    resource_group_name: pulumi.Input[str]
    protect: bool
    locks: Locks

    @property
    def subscription(self) -> str:
        """The subscription's resource id."""
        return f"/subscriptions/{self.subscription_id}"

    @property
    def resource_group_id(self) -> pulumi.Output[str]:
        """The resource id of the stack's resource group."""
        return pulumi.Output.concat(self.subscription, "/resourceGroups/", self.resource_group_name)

    def role_definition(self, role_id: str) -> str:
        """The resource id of a built-in role."""
        return f"{self.subscription}/providers/Microsoft.Authorization/roleDefinitions/{role_id}"

    def keep(
        self, parent: pulumi.Resource, depends_on: Sequence[pulumi.Resource] = ()
    ) -> pulumi.ResourceOptions:
        """Options of a child that holds data or a name: protected where the stack asks for it."""
        return pulumi.ResourceOptions(
            parent=parent, protect=self.protect, depends_on=list(depends_on)
        )
