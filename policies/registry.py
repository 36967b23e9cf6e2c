"""Rules on the container registry and on images that the stack builds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pulumi_policy import EnforcementLevel, Severity

from policies.reading import UNKNOWN, entries, shown, text
from policies.rule import AnyRule, Resource, ResourceRule, wants
from policies.sources import Source, checkov, psrule

REGISTRY = "azure-native:containerregistry:Registry"
IMAGE = "docker:index/image:Image"
PREMIUM = "Premium"
SECRET_NAME = re.compile(r"(password|passwd|secret|token|api_?key|credential)", re.IGNORECASE)


def _retention(registry: Resource) -> Iterator[str]:
    if registry.at("sku", "name") == PREMIUM:
        yield from wants("policies.retentionPolicy.status", "enabled")(registry)


def _private(registry: Resource) -> Iterator[str]:
    if registry.at("sku", "name") == PREMIUM:
        yield from wants("publicNetworkAccess", "Disabled")(registry)


def _zones(registry: Resource) -> Iterator[str]:
    if registry.at("sku", "name") == PREMIUM:
        yield from wants("zoneRedundancy", "Enabled")(registry)


def _export(registry: Resource) -> Iterator[str]:
    if registry.at("publicNetworkAccess") == "Disabled":
        yield from wants("policies.exportPolicy.status", "disabled")(registry)


def _build_arguments(image: Resource) -> Iterator[str]:
    for name, value in entries(image.at("build", "args")).items():
        if SECRET_NAME.search(name) and value is not UNKNOWN:
            yield f"build argument {name} stays readable in the image's history"


def _platform(image: Resource) -> Iterator[str]:
    platform = image.at("build", "platform")
    if platform is not UNKNOWN and not text(platform).startswith("linux/"):
        yield f"build.platform is {shown(platform)}: it would be that of whoever builds"


RULES: tuple[AnyRule, ...] = (
    ResourceRule(
        name="acr-admin-disabled", types=(REGISTRY,),
        description="The registry has no shared administrator password",
        severity=Severity.CRITICAL,
        remediation="Set admin_user_enabled=False; pull by AcrPull, push by AcrPush",
        sources=(psrule("Azure.ACR.AdminUser"), checkov("CKV_AZURE_137")),
        check=wants("adminUserEnabled", False),
    ),
    ResourceRule(
        name="acr-anonymous-pull-disabled", types=(REGISTRY,),
        description="Nobody pulls images without signing in",
        severity=Severity.HIGH,
        remediation="Set anonymous_pull_enabled=False",
        sources=(psrule("Azure.ACR.AnonymousAccess"), checkov("CKV_AZURE_138")),
        check=wants("anonymousPullEnabled", False),
    ),
    ResourceRule(
        name="acr-production-tier", types=(REGISTRY,),
        description="In production the registry is of the Standard or Premium tier",
        severity=Severity.MEDIUM,
        remediation="Set registry.acr.sku: Standard or Premium",
        sources=(psrule("Azure.ACR.MinSku"),),
        check=wants("sku.name", "Standard", PREMIUM),
        level=EnforcementLevel.ADVISORY, production_only=True,
    ),
    ResourceRule(
        name="acr-private", types=(REGISTRY,),
        description="In production a Premium registry is reached by private endpoint alone",
        severity=Severity.MEDIUM,
        remediation="Set registry.acr.private: true",
        sources=(psrule("Azure.ACR.Firewall"), checkov("CKV_AZURE_139")),
        check=_private, level=EnforcementLevel.ADVISORY, production_only=True,
    ),
    ResourceRule(
        name="acr-retention", types=(REGISTRY,),
        description="In production a Premium registry deletes manifests without a tag",
        severity=Severity.LOW,
        remediation="Set registry.acr.untagged_retention_days",
        sources=(psrule("Azure.ACR.Retention"), checkov("CKV_AZURE_167")),
        check=_retention, level=EnforcementLevel.ADVISORY, production_only=True,
    ),
    ResourceRule(
        name="acr-zone-redundant", types=(REGISTRY,),
        description="In production a Premium registry is kept in several zones",
        severity=Severity.MEDIUM,
        remediation='Set zone_redundancy="Enabled" when the registry is made',
        sources=(checkov("CKV_AZURE_233"),),
        check=_zones, level=EnforcementLevel.ADVISORY, production_only=True,
    ),
    ResourceRule(
        name="acr-export-disabled", types=(REGISTRY,),
        description="Images of a private registry cannot be exported",
        severity=Severity.MEDIUM,
        remediation='Set policies with export_policy status "disabled"',
        sources=(psrule("Azure.ACR.ExportPolicy"),),
        check=_export, level=EnforcementLevel.ADVISORY,
    ),
    ResourceRule(
        name="image-no-secret-build-argument", types=(IMAGE,),
        description="No secret is a build argument",
        severity=Severity.CRITICAL,
        remediation="Use a build secret",
        sources=(
            Source("Docker SecretsUsedInArgOrEnv",
                   "https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/"),
        ),
        check=_build_arguments,
    ),
    ResourceRule(
        name="image-platform", types=(IMAGE,),
        description="An image is built for the nodes' platform, not the builder's",
        severity=Severity.MEDIUM,
        remediation='Set platform="linux/amd64" in build',
        sources=(
            Source("Docker multi-platform",
                   "https://docs.docker.com/build/building/multi-platform/"),
        ),
        check=_platform,
    ),
)  # fmt: skip
