"""Whether AKS offers the stack's Kubernetes version in its region."""

from __future__ import annotations

from collections.abc import Iterator

from infra.doctor.azure import Azure
from infra.doctor.findings import Finding, failed, ok, warning
from infra.settings import Settings

COMMUNITY = "KubernetesOfficial"
"""The plan that every tier has; the other one is long-term support, of tier Premium alone."""


def look_at_kubernetes_version(settings: Settings, azure: Azure) -> Iterator[Finding]:
    """One finding: supported, in preview, or over."""
    wanted, region = settings.cluster.kubernetes_version, settings.location
    subject = f"Kubernetes {wanted}"
    offered = azure.kubernetes_versions(region)
    found = next((each for each in offered if each.version == wanted), None)
    open_to_all = sorted(
        (each.version for each in offered if COMMUNITY in each.plans and not each.is_preview),
        key=lambda version: [int(part) for part in version.split(".")],
    )
    choose = (
        f'pulumi config set --path cluster.kubernetes_version "{open_to_all[-1]}"'
        if open_to_all
        else f"az aks get-versions --location {region} --output table"
    )
    if found is None:
        yield failed(
            subject, f"AKS does not offer it in {region}: {', '.join(open_to_all)}", choose
        )
    elif COMMUNITY not in found.plans and settings.cluster.tier != "Premium":
        yield failed(
            subject,
            "is past its support; only tier Premium still has it, for its long term",
            choose,
        )
    elif found.is_preview:
        yield warning(subject, f"is a preview in {region}, without support", choose)
    else:
        yield ok(subject, f"is supported in {region}")
