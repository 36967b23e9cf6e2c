"""Which checks a stack needs, in the order of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from infra.cost.retail_prices import RetailPrices
from infra.doctor.azure import Azure
from infra.doctor.checks.account import (
    look_at_ids,
    look_at_permissions,
    look_at_providers,
    look_at_sign_in,
    look_at_subscription,
)
from infra.doctor.checks.cost import look_at_cost
from infra.doctor.checks.kubernetes_version import look_at_kubernetes_version
from infra.doctor.checks.names import look_at_names
from infra.doctor.checks.quotas import look_at_core_quotas, look_at_network_quotas
from infra.doctor.checks.region import look_at_regions
from infra.doctor.checks.tools import look_at_tools
from infra.doctor.checks.vm_sizes import look_at_vm_sizes
from infra.doctor.examination import Check
from infra.doctor.findings import Finding, unknown
from infra.doctor.needs import Needs
from infra.planning.stacks import StackFile
from infra.recording import Recording
from infra.settings import Settings


def local_checks(settings: Settings, needs: Needs) -> list[Check]:
    """What can be looked at without a network."""
    checks = [Check("Tools", lambda: look_at_tools(settings, needs), needs_sign_in=False)]
    if needs.subscription_id is not None:
        checks.append(Check("Stack file", lambda: look_at_ids(settings), needs_sign_in=False))
    if needs.unknown_types:
        checks.append(
            Check(
                "Resource types", lambda: _unknown_types(needs.unknown_types), needs_sign_in=False
            )
        )
    return checks


def sign_in_check(settings: Settings, azure: Azure) -> Check:
    """Comes before all others that ask Azure."""
    return Check("Sign-in", lambda: look_at_sign_in(settings, azure))


def azure_checks(
    settings: Settings, needs: Needs, azure: Azure, environment: Mapping[str, str]
) -> list[Check]:
    """What Azure is asked; nothing of a stack without it."""
    region = settings.location

    def check(title: str, look: Callable[[], Iterable[Finding]]) -> Check:
        return Check(title, look)

    checks = [
        check("Subscription", lambda: look_at_subscription(settings, azure)),
        check("Permissions", lambda: look_at_permissions(needs, azure)),
        check("Resource providers", lambda: look_at_providers(needs, azure)),
        check("Regions", lambda: look_at_regions(settings, needs, azure)),
    ]
    if needs.pools:
        checks += [
            check("VM sizes", lambda: look_at_vm_sizes(needs, region, azure)),
            check("CPU quotas", lambda: look_at_core_quotas(needs, region, azure)),
            check("Network quotas", lambda: look_at_network_quotas(needs, region, azure)),
            check("Kubernetes", lambda: look_at_kubernetes_version(settings, azure)),
        ]
    if needs.registries or needs.vaults or needs.storage_accounts:
        checks.append(check("Names", lambda: look_at_names(needs, region, azure)))
    checks += outside_checks(settings, needs, azure, environment)
    return checks


def outside_checks(
    settings: Settings, needs: Needs, azure: Azure, environment: Mapping[str, str]
) -> list[Check]:
    """DNS and registry, which are partly outside of Azure."""

    def dns() -> Iterator[Finding]:
        from infra.doctor.checks.dns import look_at_dns

        return look_at_dns(settings, azure)

    def registry() -> Iterator[Finding]:
        from infra.doctor.checks.registry import look_at_registry

        return look_at_registry(settings, needs, azure, environment)

    in_azure = settings.gateway.dns_zone_id is not None
    checks = [Check("DNS", dns, needs_sign_in=in_azure)] if settings.has_services else []
    in_azure = settings.registry.kind == "acr"
    return [*checks, Check("Image registry", registry, needs_sign_in=in_azure)]


def cost_check(
    stack: StackFile,
    settings: Settings,
    recording: Recording,
    prices: RetailPrices | None,
    environment: Mapping[str, str],
    *,
    offline: bool,
) -> Check:
    """What it will cost; None for `prices` asks Azure's own list."""
    asked = None if offline else prices or RetailPrices()
    return Check(
        "Monthly cost",
        lambda: look_at_cost(stack, settings, recording, asked, environment),
        needs_sign_in=False,
    )


def _unknown_types(types: Iterable[str]) -> Iterator[Finding]:
    for type_ in types:
        yield unknown(type_, "is not in infra/planning/resource_types.py", "add it there")
