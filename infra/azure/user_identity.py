"""Identities that the stack makes, rather than Azure with the resource that uses them."""

from __future__ import annotations

import pulumi
import pulumi_azure_native as azure

from infra.azure.place import Place


def user_identity(
    name: str, place: Place, part: str, parent: pulumi.Resource
) -> azure.managedidentity.UserAssignedIdentity:
    """Declare a user-assigned identity.

    Args:
        name: Pulumi name of the identity.
        place: where it goes.
        part: last part of its name in Azure: whose it is.
        parent: the component that declares it.
    """
    return azure.managedidentity.UserAssignedIdentity(
        name,
        resource_name_=place.naming.resource("id", part),
        resource_group_name=place.resource_group_name,
        location=place.location,
        tags=place.tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )
