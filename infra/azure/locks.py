"""Locks: Azure's own refusal to delete what holds data or names."""

from __future__ import annotations

from dataclasses import dataclass, field

import pulumi
import pulumi_azure_native as azure


@dataclass(eq=False)
class Locks:
    """The locks of a stack, declared when all that they hold back has been.

    Azure hands a lock down to everything below what is locked: nobody can delete a role assignment
    on a locked registry either, nor its diagnostic setting, its replica or the connection of its
    private endpoint (learn.microsoft.com/azure/azure-resource-manager/management/lock-resources).
    So every lock depends on all of these: it is made after them, and `pulumi destroy`, which goes
    the other way, takes it away before it comes to them.

    Attributes:
        wanted: whether the stack asks for locks.
    """

    wanted: bool
    _locked: list[tuple[str, pulumi.CustomResource]] = field(
        default_factory=list[tuple[str, pulumi.CustomResource]], repr=False
    )
    _held_back: list[pulumi.Resource] = field(default_factory=list[pulumi.Resource], repr=False)

    def put_on(self, name: str, resource: pulumi.CustomResource) -> None:
        """Have a resource locked; the lock is named after it."""
        self._locked.append((name, resource))

    def hold_back(self, resource: pulumi.Resource) -> None:
        """Have every lock come after a resource, which may lie below one that is locked."""
        self._held_back.append(resource)

    def declare(self) -> None:
        """Declare the locks of all that has been locked since the last time."""
        locked, held_back = list(self._locked), list(self._held_back)
        self._locked.clear()
        self._held_back.clear()
        if not self.wanted:
            return
        for name, resource in locked:
            azure.authorization.ManagementLockByScope(
                f"{name}-lock",
                scope=resource.id,
                level=azure.authorization.LockLevel.CAN_NOT_DELETE,
                lock_name="realtime-scoring",
                notes="Holds data or a name that others use; take the lock off in the stack's settings.",
                # Else its parent's protection would be its own, and neither the settings nor a
                # `destroy` could take it off.
                opts=pulumi.ResourceOptions(
                    parent=resource, protect=False, depends_on=list(held_back)
                ),
            )
