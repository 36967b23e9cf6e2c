"""Microsoft Defender for Containers, for the whole subscription."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra.azure.existing_resource import (
    ExistingResource,
    ExistingResources,
    ExistingResourcesArgs,
)
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
PRICING_VERSION = "2024-01-01"
CONTACT_VERSION = "2023-12-01-preview"
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
    Every subscription has the plan already, as a free one, and may have the contact.
    """

    def __init__(
        self, name: str, args: DefenderPlanArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:DefenderPlan", name, None, opts)
        contact = args.settings.contact
        plan = ExistingResources(
            f"{name}-subscription",
            ExistingResourcesArgs(
                args.place,
                "defender",
                [_plan(), *([_contact(contact)] if contact is not None else [])],
                whole_subscription=True,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"deployment_id": plan.deployment_id})


def _plan() -> ExistingResource:
    return ExistingResource(
        "Microsoft.Security/pricings",
        PRICING_VERSION,
        PLAN,
        {
            "pricingTier": "Standard",
            "extensions": [{"name": name, "isEnabled": "True"} for name in EXTENSIONS],
        },
    )


def _contact(address: str) -> ExistingResource:
    return ExistingResource(
        "Microsoft.Security/securityContacts",
        CONTACT_VERSION,
        CONTACT_NAME,
        {
            "emails": address,
            "isEnabled": True,
            "notificationsByRole": {"state": "On", "roles": ["Owner"]},
            "notificationsSources": [{"sourceType": "Alert", "minimalSeverity": "Medium"}],
        },
    )
