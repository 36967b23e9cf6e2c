"""Whom alerts reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.place import Place

SHORT_NAME = "scoring"
"""In the subject of every mail; twelve characters at most."""


@dataclass(frozen=True)
class AlertReceiversArgs:
    """Arguments of :class:`AlertReceivers`.

    Attributes:
        place: where it goes.
        emails: who gets mail.
    """

    place: Place
    emails: Sequence[str]


class AlertReceivers(pulumi.ComponentResource):
    """An action group that sends mail.

    Attributes:
        action_group_id: the action group's resource id.
    """

    action_group_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: AlertReceiversArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:AlertReceivers", name, None, opts)
        place = args.place
        group = azure.monitor.ActionGroup(
            f"{name}-group",
            action_group_name=place.naming.resource("ag"),
            resource_group_name=place.resource_group_name,
            # Action groups are global: mail goes out even when the stack's region is down.
            location="Global",
            tags=place.tags,
            group_short_name=SHORT_NAME,
            enabled=True,
            email_receivers=[
                azure.monitor.MicrosoftCommonEmailReceiverArgs(
                    name=email, email_address=email, use_common_alert_schema=True
                )
                for email in args.emails
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.action_group_id = group.id
        self.register_outputs({"action_group_id": group.id})
