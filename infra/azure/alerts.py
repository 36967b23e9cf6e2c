"""All alerts of the platform, on metrics, on logs and on Azure itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.azure.action_group import AlertReceivers, AlertReceiversArgs
from infra.azure.budget import SpendingBudget, SpendingBudgetArgs
from infra.azure.cluster_alerts import cluster_alerts
from infra.azure.page_alerts import page_alerts
from infra.azure.place import Place
from infra.azure.platform_alerts import (
    CLUSTER_RULES,
    DAILY_CAP_RULE,
    PROMETHEUS_RULE,
    RESTARTS_RULE,
    Told,
    declare_log_alert,
    declare_metric_alert,
    declare_resource_health,
    declare_service_health,
)
from infra.azure.prometheus_rules import (
    AlertRule,
    RuleGroup,
    alert_args,
    declare_group,
)
from infra.azure.service_alerts import service_alerts, workload_alerts
from infra.sections.monitoring import MonitoringSettings


@dataclass(frozen=True)
class AlertsArgs:
    """Arguments of :class:`Alerts`.

    Attributes:
        place: where they go.
        monitoring: thresholds, addresses, budget.
        cluster_id: the cluster that Azure measures.
        cluster_name: whose series the rules read in managed Prometheus.
        prometheus_workspace_id: managed Prometheus, where there is one.
        workspace_id: Log Analytics.
    """

    place: Place
    monitoring: MonitoringSettings
    cluster_id: pulumi.Input[str]
    cluster_name: pulumi.Input[str]
    prometheus_workspace_id: pulumi.Input[str] | None
    workspace_id: pulumi.Input[str]


class Alerts(pulumi.ComponentResource):
    """Whom to tell, and of what; docs/alerts.md says what to do then.

    Without managed Prometheus the services' own metrics are not there to be watched: what is left
    is what Azure measures of the cluster, and restarts found in the logs.

    Attributes:
        action_group_id: the action group's resource id.
    """

    action_group_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:Alerts", name, None, opts)
        monitoring = args.monitoring
        receivers = AlertReceivers(
            f"{name}-receivers",
            AlertReceiversArgs(args.place, monitoring.alerts.emails),
            pulumi.ResourceOptions(parent=self),
        )
        self.action_group_id = receivers.action_group_id
        told = Told(args.place, self.action_group_id, self)
        for rule in CLUSTER_RULES:
            declare_metric_alert(name, rule, args.cluster_id, told)
        declare_service_health(name, told)
        declare_resource_health(name, told)
        if args.prometheus_workspace_id is None:
            declare_log_alert(name, RESTARTS_RULE, args.workspace_id, told)
        else:
            declare_metric_alert(name, PROMETHEUS_RULE, args.prometheus_workspace_id, told)
            self._declare_groups(name, args, args.prometheus_workspace_id)
        if monitoring.logs.daily_cap_gb is not None and not monitoring.logs.existing_workspace_id:
            declare_log_alert(name, DAILY_CAP_RULE, args.workspace_id, told)
        if monitoring.monthly_budget is not None and monitoring.budget_from is not None:
            SpendingBudget(
                f"{name}-budget",
                SpendingBudgetArgs(
                    args.place,
                    monitoring.monthly_budget,
                    monitoring.budget_from,
                    monitoring.alerts.emails,
                ),
                pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({"action_group_id": self.action_group_id})

    def _declare_groups(
        self, name: str, args: AlertsArgs, prometheus_workspace_id: pulumi.Input[str]
    ) -> None:
        for group in self._groups(args.monitoring):
            declare_group(
                name,
                args.place,
                group,
                prometheus_workspace_id=prometheus_workspace_id,
                cluster_name=args.cluster_name,
                parent=self,
            )

    def _groups(self, monitoring: MonitoringSettings) -> Sequence[RuleGroup]:
        return (
            self._alerts(
                "services",
                "What users of the services and the page notice",
                (*service_alerts(monitoring.alerts), *page_alerts(monitoring.alerts)),
            ),
            self._alerts("workloads", "Pods of the services and the gateway", workload_alerts()),
            self._alerts(
                "cluster", "The gateway, nodes, volumes and certificates", cluster_alerts()
            ),
        )

    def _alerts(self, name: str, text: str, rules: Sequence[AlertRule]) -> RuleGroup:
        return RuleGroup(name, text, [alert_args(rule, self.action_group_id) for rule in rules])
