"""Where a stack's Azure resources go, from its settings."""

from __future__ import annotations

import pulumi

from infra import naming
from infra.azure.locks import Locks
from infra.azure.place import Place
from infra.settings import Settings


def names_of(settings: Settings) -> naming.Naming:
    """Names of the stack's resources.

    Raises:
        ValueError: the settings name no subscription, which infra.rules refuses.
    """
    return naming.Naming(
        settings.name, pulumi.get_stack(), settings.location, _given(settings.subscription_id)
    )


def tags_of(settings: Settings) -> dict[str, str]:
    """Tags of the stack's resources."""
    return naming.tags(settings.name, settings.environment, pulumi.get_stack(), settings.tags)


def place_of(settings: Settings, resource_group_name: pulumi.Input[str], locks: Locks) -> Place:
    """The place of everything in the stack's resource group."""
    return Place(
        naming=names_of(settings),
        location=settings.location,
        subscription_id=_given(settings.subscription_id),
        tenant_id=_given(settings.tenant_id),
        tags=tags_of(settings),
        resource_group_name=resource_group_name,
        protect=settings.security.protect,
        locks=locks,
    )


def _given(value: str | None) -> str:
    if value is None:
        raise ValueError("subscription_id and tenant_id are needed for anything in Azure")
    return value
