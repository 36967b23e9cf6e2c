"""Locks come last, and so go first."""

from __future__ import annotations

from dataclasses import replace

import pulumi
import pulumi_azure_native as azure

from infra.azure.locks import Locks
from infra.azure.place import Place
from infra.azure.registry import ContainerRegistry, ContainerRegistryArgs
from infra.recording import Recording
from infra.sections.registry import RegistrySettings
from tests.infra.azure.locking import record_with_locks
from tests.infra.plans import recording_of

PUSHER = "66666666-6666-6666-6666-666666666666"


def declared(place: Place) -> Recording:
    settings = {"acr": {"sku": "Premium", "replica_locations": ["northeurope"]}}
    args = ContainerRegistryArgs(
        place,
        RegistrySettings.model_validate(settings),
        kubelet_principal_id="kubelet",
        pushers=[PUSHER],
        endpoints=None,
        zone_redundant=False,
        workspace_id="workspace",
    )
    return record_with_locks(place, lambda: ContainerRegistry("registry", args))


def test_a_lock_keeps_a_resource_from_being_deleted(place: Place) -> None:
    recording = declared(place)
    registry = recording.one(":Registry")
    lock = recording.one(":ManagementLockByScope", "registry-registry-lock")
    assert lock.inputs["level"] == "CanNotDelete"
    assert lock.inputs["scope"] == f"<output of {registry.urn}.id>"
    assert lock.parent == registry.urn
    assert registry.options.protect
    assert not lock.options.protect, "nothing but a setting keeps it"


def test_a_lock_comes_after_all_that_it_would_keep_from_being_deleted(place: Place) -> None:
    recording = declared(place)
    lock = recording.one(":ManagementLockByScope")
    held_back = [
        *recording.of_type(":RoleAssignment"),
        recording.one(":Replication"),
        recording.one(":DiagnosticSetting"),
    ]
    assert {resource.urn for resource in held_back} <= set(lock.options.depends_on)
    assert len(held_back) == 4


def test_what_was_declared_after_the_locked_resource_comes_before_its_lock_too(
    place: Place,
) -> None:
    """The services' rights on the key vault are declared when the platform is long done."""
    recording = recording_of("prod")
    lock = recording.one(":ManagementLockByScope", "vault-vault-lock")
    for name in ("workload-identities-faq-reader", "workload-identities-resnet-reader"):
        assert recording.one(":RoleAssignment", name).urn in lock.options.depends_on
    assert recording.one("keyvault:Secret").urn in lock.options.depends_on


def test_a_stack_that_wants_no_locks_has_none(place: Place) -> None:
    unlocked = replace(place, locks=Locks(wanted=False))
    assert not declared(unlocked).of_type(":ManagementLockByScope")


def test_locks_are_declared_once(place: Place) -> None:
    def build() -> None:
        address = azure.network.PublicIPAddress("address", resource_group_name="rg")
        place.locks.put_on("address", address)
        place.locks.declare()
        pulumi.export("address", address.id)

    assert len(record_with_locks(place, build).of_type(":ManagementLockByScope")) == 1
