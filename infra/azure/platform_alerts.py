"""Alerts on what Azure itself measures and logs, with or without managed Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.place import Place
from infra.azure.prometheus_rules import Severity, description

USED_SERVICES = (
    "Azure Kubernetes Service (AKS)",
    "Virtual Machine Scale Sets",
    "Virtual Network",
    "Load Balancer",
    "Container Registry",
    "Key Vault",
    "Azure Monitor",
)
"""As the service health page calls them."""

CONTAINER_RESTARTS = """\
KubePodInventory
| where Namespace == "scoring"
| summarize Least = min(ContainerRestartCount), Most = max(ContainerRestartCount) by ContainerName
| where Most - Least > 2
"""
DAILY_CAP = """\
_LogOperation
| where Category =~ "Ingestion" and Detail has "OverQuota"
"""


@dataclass(frozen=True)
class MetricRule:
    """An alert on one metric of one Azure resource.

    Attributes:
        name: in CamelCase; also the heading of its section in docs/alerts.md.
        metric: as Azure calls it.
        namespace: type of resource that has the metric.
        threshold: the metric's average above it is an alert.
        window: over which it is averaged, as an ISO 8601 duration.
        severity: how bad it is.
        summary: one sentence for the mail.
    """

    name: str
    metric: str
    namespace: str
    threshold: float
    window: str
    severity: Severity
    summary: str


CLUSTER_RULES = (
    MetricRule(
        "ApiServerBusy", "apiserver_cpu_usage_percentage",
        "Microsoft.ContainerService/managedClusters", 90, "PT15M", Severity.WARNING,
        "The cluster's API server uses more than 90 % of its processors.",
    ),
    MetricRule(
        "NodesCpuHigh", "node_cpu_usage_percentage",
        "Microsoft.ContainerService/managedClusters", 90, "PT30M", Severity.INFORMATION,
        "All nodes together use more than 90 % of their processors.",
    ),
    MetricRule(
        "NodesMemoryHigh", "node_memory_working_set_percentage",
        "Microsoft.ContainerService/managedClusters", 90, "PT15M", Severity.WARNING,
        "All nodes together use more than 90 % of their memory.",
    ),
)  # fmt: skip
"""learn.microsoft.com/azure/aks/monitor-aks-reference, platform metrics."""

PROMETHEUS_RULE = MetricRule(
    "PrometheusNearLimit", "ActiveTimeSeriesPercentUtilization", "Microsoft.Monitor/accounts",
    80, "PT30M", Severity.WARNING,
    "Managed Prometheus keeps 80 % of the series it may keep; above all of them it drops metrics.",
)  # fmt: skip


@dataclass(frozen=True)
class LogRule:
    """An alert on a query that finds what is wrong in Log Analytics.

    Attributes:
        name: in CamelCase; also the heading of its section in docs/alerts.md.
        query: in KQL; any row is an alert.
        severity: how bad it is.
        summary: one sentence for the mail.
    """

    name: str
    query: str
    severity: Severity
    summary: str


RESTARTS_RULE = LogRule(
    "ContainersRestart", CONTAINER_RESTARTS, Severity.WARNING,
    "A container of the services restarted three times or more in half an hour.",
)  # fmt: skip
DAILY_CAP_RULE = LogRule(
    "DailyLogCapReached", DAILY_CAP, Severity.WARNING,
    "The day's gigabytes of logs are used up; nothing is logged until the cap's reset.",
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """Who is told of an alert, and whose child it is."""

    place: Place
    action_group_id: pulumi.Input[str]
    parent: pulumi.Resource


def declare_metric_alert(
    name: str, rule: MetricRule, scope: pulumi.Input[str], told: Told
) -> azure.monitor.MetricAlert:
    """Declare an alert on a metric of Azure."""
    return azure.monitor.MetricAlert(
        f"{name}-{rule.name}",
        rule_name=told.place.naming.resource("alert", rule.name),
        resource_group_name=told.place.resource_group_name,
        location="Global",
        tags=told.place.tags,
        description=description(rule.name, rule.summary),
        enabled=True,
        severity=int(rule.severity),
        scopes=[scope],
        evaluation_frequency="PT5M",
        window_size=rule.window,
        auto_mitigate=True,
        criteria=azure.monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
            odata_type=azure.monitor.Odatatype.MICROSOFT_AZURE_MONITOR_SINGLE_RESOURCE_MULTIPLE_METRIC_CRITERIA,
            all_of=[
                azure.monitor.MetricCriteriaArgs(
                    criterion_type=azure.monitor.CriterionType.STATIC_THRESHOLD_CRITERION,
                    name=rule.metric,
                    metric_name=rule.metric,
                    metric_namespace=rule.namespace,
                    operator=azure.monitor.Operator.GREATER_THAN,
                    threshold=rule.threshold,
                    time_aggregation=azure.monitor.AggregationTypeEnum.AVERAGE,
                )
            ],
        ),
        actions=[azure.monitor.MetricAlertActionArgs(action_group_id=told.action_group_id)],
        opts=pulumi.ResourceOptions(parent=told.parent),
    )


def declare_log_alert(
    name: str, rule: LogRule, workspace_id: pulumi.Input[str], told: Told
) -> azure.monitor.ScheduledQueryRule:
    """Declare an alert on a query, asked every quarter of an hour about the last half."""
    return azure.monitor.ScheduledQueryRule(
        f"{name}-{rule.name}",
        rule_name=told.place.naming.resource("alert", rule.name),
        display_name=rule.name,
        resource_group_name=told.place.resource_group_name,
        location=told.place.location,
        tags=told.place.tags,
        description=description(rule.name, rule.summary),
        kind=azure.monitor.Kind.LOG_ALERT,
        enabled=True,
        severity=int(rule.severity),
        scopes=[workspace_id],
        evaluation_frequency="PT15M",
        window_size="PT30M",
        auto_mitigate=True,
        # The tables come with the cluster's first logs, later than the rule.
        skip_query_validation=True,
        criteria=azure.monitor.ScheduledQueryRuleCriteriaArgs(
            all_of=[
                azure.monitor.ConditionArgs(
                    query=rule.query,
                    time_aggregation=azure.monitor.TimeAggregation.COUNT,
                    # The SDK's enum for this is another API's: its values are `gt` and so on.
                    operator=azure.monitor.Operator.GREATER_THAN,
                    threshold=0,
                    failing_periods=azure.monitor.ConditionFailingPeriodsArgs(
                        number_of_evaluation_periods=1, min_failing_periods_to_alert=1
                    ),
                )
            ]
        ),
        actions=azure.monitor.ActionsArgs(action_groups=[told.action_group_id]),
        opts=pulumi.ResourceOptions(parent=told.parent),
    )


def declare_service_health(name: str, told: Told) -> azure.monitor.ActivityLogAlert:
    """Declare the alert on Azure's own incidents and maintenance, for the services used here."""
    alert = "ServiceHealth"
    summary = "Azure reports an incident, maintenance or advisory of a service that the stack uses."
    return _activity_alert(
        f"{name}-{alert}",
        alert,
        summary,
        told.place.subscription,
        [
            _equals("category", "ServiceHealth"),
            azure.monitor.AlertRuleAnyOfOrLeafConditionArgs(
                field="properties.impactedServices[*].ServiceName", contains_any=list(USED_SERVICES)
            ),
        ],
        told,
    )


def declare_resource_health(name: str, told: Told) -> azure.monitor.ActivityLogAlert:
    """Declare the alert on resources of the stack that Azure finds broken."""
    alert = "ResourceHealth"
    summary = "Azure finds a resource of the stack degraded or unavailable, for its own reasons."
    return _activity_alert(
        f"{name}-{alert}",
        alert,
        summary,
        told.place.resource_group_id,
        [
            _equals("category", "ResourceHealth"),
            azure.monitor.AlertRuleAnyOfOrLeafConditionArgs(
                any_of=[
                    azure.monitor.AlertRuleLeafConditionArgs(
                        field="properties.currentHealthStatus", equals=status
                    )
                    for status in ("Degraded", "Unavailable")
                ]
            ),
            _equals("properties.cause", "PlatformInitiated"),
        ],
        told,
    )


def _activity_alert(
    resource_name: str,
    alert: str,
    summary: str,
    scope: pulumi.Input[str],
    conditions: Sequence[azure.monitor.AlertRuleAnyOfOrLeafConditionArgs],
    told: Told,
) -> azure.monitor.ActivityLogAlert:
    return azure.monitor.ActivityLogAlert(
        resource_name,
        activity_log_alert_name=told.place.naming.resource("alert", alert),
        resource_group_name=told.place.resource_group_name,
        location="Global",
        tags=told.place.tags,
        description=description(alert, summary),
        enabled=True,
        scopes=[scope],
        condition=azure.monitor.AlertRuleAllOfConditionArgs(all_of=conditions),
        actions=azure.monitor.ActionListArgs(
            action_groups=[azure.monitor.ActionGroupArgs(action_group_id=told.action_group_id)]
        ),
        opts=pulumi.ResourceOptions(parent=told.parent),
    )


def _equals(field: str, value: str) -> azure.monitor.AlertRuleAnyOfOrLeafConditionArgs:
    return azure.monitor.AlertRuleAnyOfOrLeafConditionArgs(field=field, equals=value)
