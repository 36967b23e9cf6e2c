"""Rules on logs, alerts and dashboards."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import Severity

from policies.reading import UNKNOWN, at, items, number, shown, text
from policies.rule import AnyRule, Finding, Resource, ResourceRule, Stack, StackRule, wants
from policies.sources import azure, psrule

WORKSPACE = "azure-native:operationalinsights:Workspace"
DIAGNOSTICS = "azure-native:monitor:DiagnosticSetting"
ACTION_GROUP = "azure-native:monitor:ActionGroup"
RULE_GROUP = "azure-native:alertsmanagement:PrometheusRuleGroup"
GRAFANA = "azure-native:dashboard:Grafana"
DIAGNOSED = (
    "azure-native:containerregistry:Registry",
    "azure-native:containerservice:ManagedCluster",
    "azure-native:dashboard:Grafana",
    "azure-native:keyvault:Vault",
    "azure-native:network:ApplicationGateway",
    "azure-native:network:NetworkSecurityGroup",
    "azure-native:network:PublicIPAddress",
    "azure-native:network:VirtualNetwork",
    "azure-native:operationalinsights:Workspace",
)
"""Types that send logs
(learn.microsoft.com/azure/azure-monitor/reference/logs-index)."""
SHORTEST_RETENTION_DAYS = 30
RECEIVERS = ("emailReceivers", "webhookReceivers", "armRoleReceivers", "logicAppReceivers")


def _retention(workspace: Resource) -> Iterator[str]:
    days = workspace.at("retentionInDays")
    if days is not UNKNOWN and (number(days) or 0) < SHORTEST_RETENTION_DAYS:
        yield f"retentionInDays is {shown(days)}, less than {SHORTEST_RETENTION_DAYS}"


def _diagnosed(stack: Stack) -> Iterator[Finding]:
    """By what `resourceUri` was made of: the property itself is unknown before a deployment."""
    watched = {
        urn for setting in stack.of_type(DIAGNOSTICS)
        for urn in setting.depends_on.get("resourceUri", ())
    }  # fmt: skip
    for resource in stack.of_type(*DIAGNOSED):
        if resource.urn not in watched:
            yield Finding(resource, "no DiagnosticSetting sends its logs anywhere")


def _sends_something(setting: Resource) -> Iterator[str]:
    kinds = (setting.at("logs"), setting.at("metrics"))
    enabled = [at(item, "enabled") for kind in kinds for item in items(kind)]
    if UNKNOWN not in kinds and not any(value in (True, UNKNOWN) for value in enabled):
        yield "neither a log nor a metric is enabled"


def _somebody(group: Resource) -> Iterator[str]:
    yield from wants("enabled", True)(group)
    receivers = [group.at(kind) for kind in RECEIVERS]
    if UNKNOWN not in receivers and not any(items(kind) for kind in receivers):
        yield "nobody receives the alerts"


def _alerts_say_enough(group: Resource) -> Iterator[str]:
    for rule in items(group.at("rules")):
        alert = text(at(rule, "alert"))
        if not alert:
            continue
        severity = at(rule, "severity")
        if severity is not UNKNOWN and number(severity) is None:
            yield f"alert {alert} has no severity"
        if at(rule, "for") is None:
            yield f"alert {alert} has no `for`: one bad sample would wake somebody"
        if not items(at(rule, "actions")) and at(rule, "actions") is not UNKNOWN:
            yield f"alert {alert} tells nobody"


RULES: tuple[AnyRule, ...] = (
    ResourceRule(
        name="log-workspace-entra-only", types=(WORKSPACE,),
        description="Nobody writes or reads logs with a shared key",
        severity=Severity.MEDIUM,
        remediation="Set features with disable_local_auth=True",
        sources=(
            azure("monitoring security", "azure-monitor/fundamentals/best-practices-security"),
        ),
        check=wants("features.disableLocalAuth", True),
    ),
    ResourceRule(
        name="log-workspace-retention", types=(WORKSPACE,),
        description="Logs can be queried for 30 days at least",
        severity=Severity.LOW,
        remediation="Set monitoring.logs.retention_days to 30 or more",
        sources=(azure("data retention", "azure-monitor/logs/data-retention-configure"),),
        check=_retention,
    ),
    StackRule(
        name="azure-resource-diagnosed",
        description="Every resource that writes logs sends them to Log Analytics",
        severity=Severity.MEDIUM,
        remediation="Declare a DiagnosticSetting with the resource's id as resource_uri",
        sources=(psrule("Azure.AKS.AuditLogs"), psrule("Azure.ACR.Logs")),
        check=_diagnosed,
    ),
    ResourceRule(
        name="diagnostics-send-something", types=(DIAGNOSTICS,),
        description="A diagnostic setting sends at least one log or metric",
        severity=Severity.MEDIUM,
        remediation="Enable a category, or the group allLogs",
        sources=(psrule("Azure.AKS.PlatformLogs"),),
        check=_sends_something,
    ),
    ResourceRule(
        name="alerts-reach-somebody", types=(ACTION_GROUP,),
        description="Alerts reach somebody",
        severity=Severity.HIGH,
        remediation="Name addresses in monitoring.alerts.emails",
        sources=(azure("action groups", "azure-monitor/alerts/action-groups"),),
        check=_somebody,
    ),
    ResourceRule(
        name="alerts-can-be-acted-on", types=(RULE_GROUP,),
        description="Every alert has a severity, lasts before it fires, and tells somebody",
        severity=Severity.MEDIUM,
        remediation="Set severity, for_ and actions of the alert",
        sources=(azure("Prometheus rule groups", "azure-monitor/metrics/prometheus-rule-groups"),),
        check=_alerts_say_enough,
    ),
    ResourceRule(
        name="grafana-no-api-keys", types=(GRAFANA,),
        description="Nobody reads dashboards with an API key",
        severity=Severity.MEDIUM,
        remediation='Set api_key="Disabled" in properties',
        sources=(azure("Grafana service accounts", "managed-grafana/how-to-service-accounts"),),
        check=wants("properties.apiKey", "Disabled"),
    ),
)  # fmt: skip
