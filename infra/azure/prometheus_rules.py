"""Rules of managed Prometheus as plain data, and how they become Azure's rule groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import pulumi
import pulumi_azure_native as azure

from infra.azure.place import Place

SERVICE_LABEL = "app_kubernetes_io_name"
"""Says which service a metric is of: managed Prometheus copies the labels of pods that it finds by
their annotations onto what it scrapes there, with underscores
(learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-scrape-configuration)."""

MOST_RULES_IN_A_GROUP = 20
"""learn.microsoft.com/azure/azure-monitor/fundamentals/service-limits, Prometheus rule groups."""

EXTRA_KUBE_STATE_METRICS = (
    "kube_deployment_status_replicas_unavailable",
    "kube_poddisruptionbudget_status_pod_disruptions_allowed",
)
"""Metrics of kube-state-metrics that the alerts read and that managed Prometheus leaves out by
itself (its "minimal ingestion profile"); they belong on the keep list of `kubestate` in
`ama-metrics-settings-configmap`."""

RUNBOOKS = "docs/alerts.md"
API_ROUTES = 'route!~"/|/livez|/readyz|/v2/health/(live|ready)"'
"""Selects what clients ask for; probes would make every share and percentile look better."""


class Severity(IntEnum):
    """How bad an alert is, in Azure's numbers."""

    CRITICAL = 0
    ERROR = 1
    WARNING = 2
    INFORMATION = 3


@dataclass(frozen=True)
class AlertRule:
    """An alert on metrics.

    Attributes:
        name: in CamelCase; also the heading of its section in docs/alerts.md.
        expression: in PromQL; what it returns is what is wrong.
        minutes: how long it must hold before anybody is told.
        severity: how bad it is.
        summary: one sentence for the mail.
    """

    name: str
    expression: str
    minutes: int
    severity: Severity
    summary: str


@dataclass(frozen=True)
class RecordingRule:
    """A series made of others, so that alerts and dashboards need not work it out each time."""

    name: str
    expression: str


def runbook(alert: str) -> str:
    """Where the steps for an alert are."""
    return f"{RUNBOOKS}#{alert.lower()}"


def description(alert: str, summary: str) -> str:
    """What the mail says: what is wrong, and where to read on."""
    return f"{summary} Runbook: {runbook(alert)}"


def without_pods(namespace: str) -> str:
    """Deployments that want pods and have none that is available."""
    return (
        f'kube_deployment_status_replicas_available{{namespace="{namespace}"}} == 0 '
        f'and kube_deployment_spec_replicas{{namespace="{namespace}"}} > 0'
    )


def alert_args(
    rule: AlertRule, action_group_id: pulumi.Input[str]
) -> azure.alertsmanagement.PrometheusRuleArgs:
    """An alert as Azure takes it."""
    return azure.alertsmanagement.PrometheusRuleArgs(
        alert=rule.name,
        expression=rule.expression,
        for_=f"PT{rule.minutes}M",
        severity=int(rule.severity),
        enabled=True,
        annotations={
            "description": description(rule.name, rule.summary),
            "runbook": runbook(rule.name),
        },
        actions=[
            azure.alertsmanagement.PrometheusRuleGroupActionArgs(action_group_id=action_group_id)
        ],
        resolve_configuration=azure.alertsmanagement.PrometheusRuleResolveConfigurationArgs(
            auto_resolved=True, time_to_resolve="PT10M"
        ),
    )


def recording_args(rule: RecordingRule) -> azure.alertsmanagement.PrometheusRuleArgs:
    """A recording rule as Azure takes it."""
    return azure.alertsmanagement.PrometheusRuleArgs(
        record=rule.name, expression=rule.expression, enabled=True
    )


@dataclass(frozen=True)
class RuleGroup:
    """A group of rules that are evaluated together, in their order.

    Attributes:
        name: last part of the group's name in Azure.
        description: what the group is for.
        rules: as Azure takes them.
    """

    name: str
    description: str
    rules: Sequence[azure.alertsmanagement.PrometheusRuleArgs]


def declare_group(
    name: str,
    place: Place,
    group: RuleGroup,
    *,
    prometheus_workspace_id: pulumi.Input[str],
    cluster_name: pulumi.Input[str] | None = None,
    parent: pulumi.Resource,
) -> azure.alertsmanagement.PrometheusRuleGroup:
    """Declare a rule group, evaluated every minute.

    Without a cluster's name it reads everything in the workspace. Groups are evaluated side by
    side, so what an alert reads of another group's recording rule is up to a minute old.
    """
    return azure.alertsmanagement.PrometheusRuleGroup(
        f"{name}-{group.name}",
        rule_group_name=place.naming.resource("prg", group.name),
        resource_group_name=place.resource_group_name,
        location=place.location,
        tags=place.tags,
        description=group.description,
        scopes=[prometheus_workspace_id],
        cluster_name=cluster_name,
        interval="PT1M",
        enabled=True,
        rules=group.rules,
        opts=pulumi.ResourceOptions(parent=parent),
    )
