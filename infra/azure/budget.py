"""What the stack may cost in a month before somebody is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.place import Place

SPENT_PERCENT = (80, 100)
FORECAST_PERCENT = 100
COUNTED_TAGS = ("application", "pulumi-stack")
"""Both, of :func:`infra.naming.tags`: two applications may have a stack of the same name."""


@dataclass(frozen=True)
class SpendingBudgetArgs:
    """Arguments of :class:`SpendingBudget`.

    Attributes:
        place: whose tags are counted.
        amount: a month's budget, in the billing account's currency.
        first_month: YYYY-MM.
        emails: who gets mail.
    """

    place: Place
    amount: int
    first_month: str
    emails: Sequence[str]


class SpendingBudget(pulumi.ComponentResource):
    """A monthly budget of what carries the stack's tags: it tells, and stops nothing.

    It counts by tag and not by resource group, because AKS puts nodes, disks and load balancers,
    which are most of the bill, into a resource group of its own; it copies the cluster's tags onto
    them (learn.microsoft.com/azure/aks/use-tags).

    Attributes:
        budget_id: the budget's resource id.
    """

    budget_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: SpendingBudgetArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:SpendingBudget", name, None, opts)
        place = args.place
        budget = azure.consumption.Budget(
            f"{name}-budget",
            budget_name=place.naming.resource("budget"),
            scope=place.subscription,
            filter=azure.consumption.BudgetFilterArgs(
                and_=[_tagged(tag, place.tags[tag]) for tag in COUNTED_TAGS]
            ),
            amount=args.amount,
            category=azure.consumption.CategoryType.COST,
            time_grain=azure.consumption.TimeGrainType.MONTHLY,
            time_period=azure.consumption.BudgetTimePeriodArgs(
                start_date=f"{args.first_month}-01T00:00:00Z"
            ),
            notifications=_notifications(args.emails),
            # Azure refuses to change the start of a budget, and a preview must not depend on it.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["timePeriod"]),
        )
        self.budget_id = budget.id
        self.register_outputs({"budget_id": budget.id})


def _tagged(tag: str, value: str) -> azure.consumption.BudgetFilterPropertiesArgs:
    return azure.consumption.BudgetFilterPropertiesArgs(
        tags=azure.consumption.BudgetComparisonExpressionArgs(
            name=tag, operator=azure.consumption.BudgetOperatorType.IN_, values=[value]
        )
    )


def _notifications(emails: Sequence[str]) -> dict[str, azure.consumption.NotificationArgs]:
    spent = {
        f"spent{percent}": _notification(percent, azure.consumption.ThresholdType.ACTUAL, emails)
        for percent in SPENT_PERCENT
    }
    forecast = _notification(FORECAST_PERCENT, azure.consumption.ThresholdType.FORECASTED, emails)
    return {**spent, f"forecast{FORECAST_PERCENT}": forecast}


def _notification(
    percent: int, kind: azure.consumption.ThresholdType, emails: Sequence[str]
) -> azure.consumption.NotificationArgs:
    return azure.consumption.NotificationArgs(
        enabled=True,
        operator=azure.consumption.OperatorType.GREATER_THAN,
        threshold=percent,
        threshold_type=kind,
        contact_emails=list(emails),
        locale=azure.consumption.CultureCode.EN_GB,
    )
