"""Rules of the stack as a whole: layers, images, registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from infra.mistakes import Mistake
from infra.rules.choices import workloads_of
from infra.rules.sign_in import local_page
from infra.rules.workloads import queues

if TYPE_CHECKING:
    from infra.settings import Settings

Mistakes = Iterator[Mistake]


def local_stack(settings: Settings) -> Mistakes:
    """The local stack's few rules: nothing of Azure matters there."""
    if settings.layers != ("local",):
        yield Mistake("layers", "local stands beside others", "[local] alone")
    if settings.resnet.device == "gpu":
        yield Mistake("resnet.device", "gpu on this machine", "cpu in a local stack", ("layers",))
    if settings.monitoring.traces is not None:
        yield Mistake(
            "monitoring.traces", "is a collector in a cluster, and this stack has none",
            "leave it out of a local stack", ("layers",),
        )  # fmt: skip
    if settings.web.enabled and settings.web.api_key is None:
        yield Mistake(
            "web.api_key", "is missing", "`pulumi config set --secret --path web.api_key`",
            ("web.enabled",),
        )  # fmt: skip
    yield from local_page(settings)
    yield from queues(settings)
    yield from images(settings)


def layers(settings: Settings) -> Mistakes:
    """Layers, and what each of them needs."""
    if len(set(settings.layers)) != len(settings.layers):
        yield Mistake("layers", "names a layer twice", "each of platform and services once")
    if settings.has_services and not settings.has_platform and settings.platform_stack is None:
        yield Mistake(
            "platform_stack", "is missing, and layers holds services alone",
            "organization/project/stack of the platform", ("layers",),
        )  # fmt: skip
    if settings.has_platform and settings.platform_stack is not None:
        yield Mistake(
            "platform_stack", "is set, and layers holds the platform itself",
            "leave it out, or layers: [services]", ("layers",),
        )  # fmt: skip
    for key in ("subscription_id", "tenant_id"):
        if getattr(settings, key) is None:
            yield Mistake(key, "is missing", "the GUID that `az account show` prints")


def images(settings: Settings) -> Mistakes:
    """Prebuilt images are named, and no others."""
    if not (settings.has_services or settings.is_local):
        return
    for name, workload in workloads_of(settings):
        if workload.image is not None and settings.images == "build":
            yield Mistake(
                f"{name}.image", "is set, and the stack builds its images",
                "images: prebuilt, or leave it out", ("images",),
            )  # fmt: skip
        if workload.image is None and settings.images == "prebuilt":
            yield Mistake(
                f"{name}.image", "is missing, and images are prebuilt",
                "registry/repository@sha256:…, as CI printed it", ("images", f"{name}.enabled"),
            )  # fmt: skip


def registry(settings: Settings) -> Mistakes:
    """What the registry's tier offers."""
    registry = settings.registry
    acr = registry.acr
    if registry.kind == "docker_hub" and registry.docker_hub is None:
        yield Mistake(
            "registry.docker_hub", "is missing", "namespace, username and token",
            ("registry.kind",),
        )  # fmt: skip
    premium = {
        "private": acr.private,
        "untagged_retention_days": acr.untagged_retention_days is not None,
        "replica_locations": bool(acr.replica_locations),
    }
    for key, used in premium.items():
        if used and acr.sku != "Premium":
            yield Mistake(
                f"registry.acr.{key}", f"needs more than {acr.sku}", "registry.acr.sku: Premium",
                ("registry.acr.sku",),
            )  # fmt: skip
    if settings.location in acr.replica_locations:
        yield Mistake(
            "registry.acr.replica_locations", f"names the stack's own location, {settings.location}",
            "other regions", ("location",),
        )  # fmt: skip
    if acr.existing_id is not None and (acr.private or acr.replica_locations):
        yield Mistake(
            "registry.acr.existing_id", "is set, with settings of a new registry beside it",
            "existing_id without private and replica_locations",
            ("registry.acr.private", "registry.acr.replica_locations"),
        )  # fmt: skip
