"""Rules of monitoring, protection, people and production."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from infra.mistakes import Mistake

if TYPE_CHECKING:
    from infra.settings import Settings

Mistakes = Iterator[Mistake]


def monitoring(settings: Settings) -> Mistakes:
    """What is shown, scaled by or told must be measured, and told to somebody."""
    monitoring = settings.monitoring
    because = ("monitoring.prometheus",)
    if monitoring.grafana and not monitoring.prometheus:
        yield Mistake("monitoring.grafana", "true without metrics to show",
                      "false, or monitoring.prometheus: true", because)  # fmt: skip
    if not settings.has_platform:
        return
    for name in ("faq", "resnet"):
        workload = getattr(settings, name)
        if workload.enabled and workload.scaling.metric == "queue" and not monitoring.prometheus:
            yield Mistake(
                f"{name}.scaling.metric", "queue, and nothing collects the queue's depth",
                "cpu, or monitoring.prometheus: true", because,
            )  # fmt: skip
    if monitoring.monthly_budget is not None and not monitoring.alerts.emails:
        yield Mistake(
            "monitoring.monthly_budget", "is set, and nobody would be told",
            "addresses in monitoring.alerts.emails", ("monitoring.alerts.emails",),
        )  # fmt: skip
    if monitoring.monthly_budget is not None and monitoring.budget_from is None:
        yield Mistake(
            "monitoring.budget_from", "is missing, and Azure refuses a budget that began earlier",
            "the month of the first `pulumi up`, such as 2026-12", ("monitoring.monthly_budget",),
        )  # fmt: skip


def security(settings: Settings) -> Mistakes:
    """Defender and the key vault."""
    security = settings.security
    defender = security.defender
    if defender.plan == "owned" and defender.contact is None:
        yield Mistake(
            "security.defender.contact", "is missing, and this stack owns the plan",
            "who gets Defender's alerts", ("security.defender.plan",),
        )  # fmt: skip
    if defender.cluster_profile and defender.plan == "off":
        yield Mistake(
            "security.defender.plan", "off, and the cluster profile needs it",
            "owned by one stack of the subscription, elsewhere in all others",
            ("security.defender.cluster_profile",),
        )  # fmt: skip
    if security.key_vault.private and not security.key_vault.enabled:
        yield Mistake(
            "security.key_vault.private", "true without a key vault", "enabled: true",
            ("security.key_vault.enabled",),
        )  # fmt: skip


def people(settings: Settings) -> Mistakes:
    """A person named twice would get the same role twice, which Azure refuses."""
    taken: set[str] = set()
    for place, user in enumerate(settings.access.operator_users):
        if user.object_id in taken:
            yield Mistake(
                f"access.operator_users[{place}].object_id", f"{user.object_id} is there already",
                "each user once",
            )  # fmt: skip
        taken.add(user.object_id)


def production(settings: Settings) -> Mistakes:
    """What production must have."""
    if settings.environment != "prod":
        return
    if settings.has_services and settings.gateway.tls.issuer in ("self-signed", "acme-staging"):
        yield Mistake(
            "gateway.tls.issuer", f"{settings.gateway.tls.issuer} is trusted by nobody",
            "acme or existing-secret in prod", ("environment",),
        )  # fmt: skip
    if settings.has_platform and not settings.security.protect:
        yield Mistake("security.protect", "false in prod", "true in prod", ("environment",))
    if settings.has_platform and not settings.access.cluster_admin_groups:
        yield Mistake(
            "access.cluster_admin_groups", "is empty: nobody could mend the cluster",
            "at least one Entra group in prod", ("environment",),
        )  # fmt: skip
