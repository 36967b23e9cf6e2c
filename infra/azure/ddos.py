"""DDoS Network Protection: the plan that a virtual network is put under."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.place import Place


@dataclass(frozen=True)
class DdosPlanArgs:
    """What :class:`DdosPlan` needs.

    Attributes:
        place: where it goes.
        existing_id: a plan that exists already; without one, the stack makes its own.
    """

    place: Place
    existing_id: str | None


class DdosPlan(pulumi.ComponentResource):
    """A DDoS protection plan. It costs the same for one network as for a hundred: share it.

    Attributes:
        id: resource id of the plan.
    """

    id: pulumi.Output[str]

    def __init__(
        self, name: str, args: DdosPlanArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:DdosPlan", name, None, opts)
        self.id = (
            self._own(name, args.place)
            if args.existing_id is None
            else pulumi.Output.from_input(args.existing_id)
        )
        self.register_outputs({"id": self.id})

    def _own(self, name: str, place: Place) -> pulumi.Output[str]:
        plan = azure.network.DdosProtectionPlan(
            f"{name}-plan",
            ddos_protection_plan_name=place.naming.resource("ddos"),
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=place.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return plan.id
