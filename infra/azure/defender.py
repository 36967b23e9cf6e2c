"""Microsoft Defender for Containers, for the whole subscription."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.place import Place
from infra.sections.security import DefenderSettings

PLAN = "Containers"
EXTENSIONS = (
    "AgentlessDiscoveryForKubernetes",
    "AgentlessVmScanning",
    "ContainerRegistriesVulnerabilityAssessments",
    "ContainerSensor",
)
"""By name, as Azure lists them (learn.microsoft.com/rest/api/defenderforcloud/pricings)."""
CONTACT_NAME = "default"
"""Azure takes no other."""


@dataclass(frozen=True)
class DefenderPlanArgs:
    """What :class:`DefenderPlan` needs.

    Attributes:
        place: has the subscription.
        settings: who is told.
    """

    place: Place
    settings: DefenderSettings


class DefenderPlan(pulumi.ComponentResource):
    """The subscription's plan, and who gets its alerts.

    Both belong to the subscription, not to the stack that happens to own them: they stay behind when
    the stack goes, because deleting them would switch protection off for everything else there.
    """

    def __init__(
        self, name: str, args: DefenderPlanArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:DefenderPlan", name, None, opts)
        stays = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        plan = azure.security.Pricing(
            f"{name}-containers",
            scope_id=args.place.subscription,
            pricing_name=PLAN,
            pricing_tier=azure.security.PricingTier.STANDARD,
            extensions=[
                azure.security.ExtensionArgs(
                    name=extension, is_enabled=azure.security.IsEnabled.TRUE
                )
                for extension in EXTENSIONS
            ],
            opts=stays,
        )
        if args.settings.contact is not None:
            azure.security.SecurityContact(
                f"{name}-contact",
                security_contact_name=CONTACT_NAME,
                emails=args.settings.contact,
                is_enabled=True,
                notifications_by_role=azure.security.SecurityContactPropertiesNotificationsByRoleArgs(
                    state="On", roles=[azure.security.SecurityContactRole.OWNER]
                ),
                notifications_sources=[
                    azure.security.NotificationsSourceAlertArgs(
                        source_type="Alert",
                        minimal_severity=azure.security.MinimalSeverity.MEDIUM,
                    )
                ],
                opts=stays,
            )
        self.register_outputs({"plan_id": plan.id})
